package io.github.bts4j.spark;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.ForwardingLm;
import io.github.bts4j.core.torch.KernelChoices;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.train.BranchStep;
import io.github.bts4j.train.BranchedExpert;
import io.github.bts4j.train.ExpertRun;
import io.github.bts4j.train.Trainable;
import io.github.bts4j.train.cluster.Cluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/** Spark as a {@link Cluster}: what the command line computes on with {@code --master}. */
public final class SparkCluster implements Cluster {
    private final SparkSession spark;

    private SparkCluster(SparkSession spark) {
        this.spark = spark;
    }

    /**
     * A cluster of a session.
     *
     * @param spark the session, which is closed with the cluster
     * @return the cluster
     */
    public static SparkCluster of(SparkSession spark) {
        return new SparkCluster(spark);
    }

    /** Found by {@link java.util.ServiceLoader}. */
    public static final class Opener implements Provider {
        /** For {@link java.util.ServiceLoader}. */
        public Opener() {}

        @Override
        public Cluster open(String master) {
            return of(LocalSpark.open(master));
        }

        @Override
        public Path local(String address) throws IOException {
            return SharedFiles.local(address);
        }
    }

    @Override
    public Trainable training(Trainable here) {
        Torch.threads(context().getConf().getInt("spark.task.cpus", 1)); // the driver's sums, too, are rounded as in one process with so many threads
        return SparkTraining.on(spark, here);
    }

    @Override
    public int parallelism() {
        return Math.max(1, context().defaultParallelism());
    }

    private JavaSparkContext context() {
        return JavaSparkContext.fromSparkContext(spark.sparkContext());
    }

    @Override
    public <T, R> List<R> each(List<T> items, Task<T, R> task) {
        SparkSettings.check(context().getConf());
        ExecutorPlace place = ExecutorPlace.of(context().getConf()).with(KernelChoices.current());
        return ShutdownOrder.jobFirst(spark.sparkContext(), () -> SparkTraining.described(() -> context().parallelize(items, items.size()).map(item -> bound(place, () -> task.of(item, place))).collect()));
    }

    @Override
    public List<BranchedExpert> branch(List<ExpertRun> runs, Consumer<BranchStep> progress) {
        SparkSettings.check(context().getConf());
        return SparkBranch.run(spark, runs, progress);
    }

    @Override
    public <T, R> List<R> withModel(Path model, LoadOptions options, List<T> items, ModelTask<T, R> task) {
        SparkSettings.check(context().getConf());
        ExecutorModels.Address address = address(model, options);
        return SparkTraining.described(() -> context().parallelize(items, slices(items)).map(item -> bound(address.place(), () -> task.of(ExecutorModels.open(address), item))).collect());
    }

    /** Computes with the driver's kernels. */
    @SuppressWarnings("try") // the binding is only held
    private static <T> T bound(ExecutorPlace place, Callable<T> work) {
        return ExecutorFailure.describing(() -> {
            try (KernelChoices.Binding same = place.bind()) {
                return work.call();
            }
        });
    }

    private int slices(List<?> items) {
        return Math.min(items.size(), 4 * parallelism());
    }

    @Override
    public CausalLm scoring(CausalLm here, Path model, LoadOptions options) {
        SparkSettings.check(context().getConf());
        ExecutorModels.Address address = address(model, options);
        return new ForwardingLm(here) {
            @Override
            public float[][] tokenLosses(int[][] tokens) {
                return tokenLosses(Collections.singletonList(tokens)).get(0);
            }

            @Override
            public List<float[][]> tokenLosses(List<int[][]> batches) {
                return SparkTraining.described(() -> context().parallelize(batches, slices(batches)).map(tokens -> losses(address, tokens)).collect());
            }
        };
    }

    private ExecutorModels.Address address(Path model, LoadOptions options) {
        StitchedFiles.remember(model);
        return ExecutorModels.Address.of(model, options, ExecutorPlace.of(context().getConf()).with(KernelChoices.current()));
    }

    private static float[][] losses(ExecutorModels.Address address, int[][] tokens) {
        return bound(address.place(), () -> ExecutorModels.open(address).model().tokenLosses(tokens));
    }

    @Override
    public void close() {
        try {
            spark.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
