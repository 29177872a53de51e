package io.github.bts4j.spark;

import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.torch.KernelChoices;
import io.github.bts4j.core.torch.llama.DocumentRows;
import io.github.bts4j.train.ForwardingTrainable;
import io.github.bts4j.train.Pass;
import io.github.bts4j.train.Trainable;
import io.github.bts4j.train.TrainingSource;
import io.github.bts4j.train.optim.Gradients;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.SparkSession;

/**
 * A training whose passes are tasks of Spark: a {@link io.github.bts4j.train.Trainer} on the driver trains with it as with any other. Each lane of a step is a task; the weights are
 * broadcast, the rows travel in the tasks, and the gradients come back and are added in the order of the lanes. The losses and weights are those of one process with as many lanes, to
 * the bit, on any number of executors. If executors are lost, their lanes are computed again by the others. Batches of a validation are tasks, too.
 *
 * <p>Executors open the frozen models from the files that the driver has them from, see {@link SharedFiles}, and keep them open. Not thread-safe. It closes neither the training nor Spark.
 */
public final class SparkTraining extends ForwardingTrainable {
    private final JavaSparkContext spark;
    private final Trainable here;
    private final TrainingJob job;
    private final Exchange exchange;
    private Optional<Broadcast<Weights>> sent = Optional.empty();

    private SparkTraining(JavaSparkContext spark, Trainable here, TrainingJob job, Exchange exchange) {
        super(here);
        this.spark = spark;
        this.here = here;
        this.job = job;
        this.exchange = exchange;
    }

    /**
     * Computes a training's passes on Spark.
     *
     * @param spark the session
     * @param training the training on the driver, on the CPU
     * @return the training to give to a trainer
     * @throws UnsupportedException if executors cannot open the training
     * @throws IllegalArgumentException if a setting of Spark's does not fit, which the message names
     */
    public static SparkTraining on(SparkSession spark, Trainable training) {
        TrainingSource source = training.source().orElseThrow(() -> new UnsupportedException("Executors cannot open this training: it uses a cache of frozen states, mixed precision, a GPU, weights without files, or is a "
                + training.getClass().getSimpleName() + ", which only this process has; train in one process, or without it"));
        JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
        SparkConf conf = context.getConf();
        SparkSettings.check(conf);
        SparkSettings.checkHeap(conf, training.parameters().values().stream().mapToLong(tensor -> tensor.size()).sum());
        TrainingJob job = new TrainingJob(UUID.randomUUID().toString(), source, new HashMap<>(training.identity()), ExecutorPlace.of(conf));
        return new SparkTraining(context, training, job, Exchange.AUTOMATIC);
    }

    /**
     * The same with another way to bring gradients together.
     *
     * @param exchange the way
     * @return the changed copy
     */
    public SparkTraining withExchange(Exchange exchange) {
        return new SparkTraining(spark, here, job, exchange);
    }

    @Override
    public float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed) {
        return added(new Pass(tokens, Optional.empty(), tokenWeight, seed));
    }

    @Override
    public float[] accumulateGradients(DocumentRows rows, float tokenWeight, long seed) {
        return added(new Pass(rows.tokens(), Optional.of(rows), tokenWeight, seed));
    }

    private float[] added(Pass pass) {
        try (Gradients gradients = Gradients.of(parameters())) {
            StepTasks.Sum sum = tasks().run(Lane.of(List.of(pass), 1), Exchange.GATHER, gradients.size());
            sum.addTo(gradients);
            return sum.losses().get(0);
        }
    }

    @Override
    public List<float[]> accumulateStep(List<Pass> passes, int lanes) {
        try (Gradients gradients = Gradients.of(parameters())) {
            List<Lane> all = Lane.of(passes, lanes);
            Exchange chosen = exchange.of(gradients.size(), all.size());
            checkSettings(passes.get(0).tokens(), gradients.size() * Float.BYTES * (chosen == Exchange.GATHER ? all.size() : 1));
            StepTasks.Sum sum = tasks().run(all, chosen, gradients.size());
            sum.writeTo(gradients);
            return sum.losses();
        }
    }

    /** Refuses executors, or a driver, without room for a step, before they are killed for it. */
    private void checkSettings(int[][] tokens, long result) {
        if (SparkSettings.limitsMemory(spark.getConf())) {
            SparkSettings.checkMemory(spark.getConf(), here.passBytes(tokens.length, tokens[0].length - 1));
        }
        SparkSettings.checkResults(spark.getConf(), result);
    }

    @Override
    public float[][] tokenLosses(int[][] tokens) {
        return tokenLosses(java.util.Collections.singletonList(tokens)).get(0);
    }

    @Override
    public List<float[][]> tokenLosses(List<int[][]> batches) {
        return tasks().losses(batches);
    }

    /** With the present weights, which are sent once, and the kernels of the run. */
    private StepTasks tasks() {
        if (sent.isEmpty()) {
            sent = Optional.of(described(() -> spark.broadcast(Weights.of(parameters().values()))));
        }
        return new StepTasks(spark, job.with(KernelChoices.current()), sent.get());
    }

    /** Runs a job, and describes its failure in one line. */
    static <T> T described(Callable<T> work) {
        try {
            return work.call();
        } catch (Exception e) {
            throw ExecutorFailure.of(e);
        }
    }

    private void forget() {
        sent.ifPresent(Broadcast::destroy);
        sent = Optional.empty();
    }

    @Override
    protected void written() {
        forget();
    }

    @Override
    public void weightsChanged() {
        forget();
        super.weightsChanged();
    }

    @Override
    public Lifetime.Lease begin() {
        return ShutdownOrder.trainingFirst(super.begin(), () -> {
            forget();
            ExecutorTraining.closeFree(job.key()); // of local tasks
        });
    }

    /** {@return a short description for logs} */
    @Override
    public String toString() {
        return "SparkTraining[" + spark.master() + ", " + Arrays.toString(parameters().keySet().toArray()) + "]";
    }
}
