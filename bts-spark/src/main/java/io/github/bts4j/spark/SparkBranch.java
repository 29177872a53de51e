package io.github.bts4j.spark;

import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.torch.KernelChoices;
import io.github.bts4j.train.BranchStep;
import io.github.bts4j.train.BranchedExpert;
import io.github.bts4j.train.ExpertRun;
import io.github.bts4j.train.TokenMix;
import io.github.bts4j.train.TrainerConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/**
 * Branches experts from a seed and trains them, each as one task: phases 1 and 2 of Branch-Train-Stitch (arXiv 2502.00075, section 3). A run of an expert is that of one process, to
 * the bit. If its executor is lost, another takes over the run's folder and resumes from the last run checkpoint; a lost attempt that is still running writes nothing more.
 *
 * <p>Run again after the driver was lost, finished experts are found and the others resumed. Not thread-safe.
 */
public final class SparkBranch {
    private final SparkSession spark;
    private final Map<String, TokenMix> experts = new LinkedHashMap<>();
    private Optional<String> seed = Optional.empty();
    private Optional<TrainerConfig> config = Optional.empty();
    private Optional<Path> folder = Optional.empty();
    private Consumer<BranchStep> listener = step -> { };
    private boolean frozenEmbeddings;

    private SparkBranch(SparkSession spark) {
        this.spark = spark;
    }

    /**
     * Prepares the training of experts.
     *
     * @param spark the session
     * @return no experts yet
     * @throws IllegalArgumentException if a setting of Spark's does not fit, which the message names
     */
    public static SparkBranch on(SparkSession spark) {
        SparkSettings.check(spark.sparkContext().getConf());
        return new SparkBranch(spark);
    }

    /**
     * The model to branch from.
     *
     * @param address path or address of its folder, see {@link SharedFiles}; its tokenizer goes into each expert's folder
     * @return this
     */
    public SparkBranch seed(String address) {
        seed = Optional.of(address);
        return this;
    }

    /**
     * Adds an expert.
     *
     * @param name its name, which is that of its folder
     * @param mix what it is trained on
     * @return this
     * @throws IllegalArgumentException if the name is no name of a folder, or there is such an expert
     */
    public SparkBranch expert(String name, TokenMix mix) {
        if (!name.matches("[\\w][\\w.-]*")) {
            throw new IllegalArgumentException("expert '" + name + "': use letters, digits, '_', '-' and '.'; it is the name of a folder");
        }
        if (experts.putIfAbsent(name, mix) != null) {
            throw new IllegalArgumentException("expert '" + name + "' was given twice");
        }
        return this;
    }

    /**
     * How all experts are trained.
     *
     * @param config the configuration; the steps between its checkpoints are what a lost executor costs at most
     * @return this
     */
    public SparkBranch config(TrainerConfig config) {
        this.config = Optional.of(config);
        return this;
    }

    /**
     * Freezes the experts' embeddings, final norm and head, see {@link io.github.bts4j.train.ExpertTraining#withFrozenEmbeddings}.
     *
     * @return this
     */
    public SparkBranch withFrozenEmbeddings() {
        frozenEmbeddings = true;
        return this;
    }

    /**
     * Where the experts go.
     *
     * @param shared a folder on a file system that all executors and the driver mount, with atomic renames; made if absent. It gets {@code NAME}, the expert, and {@code NAME-run}, its
     *     run checkpoints and {@code metrics.jsonl}
     * @return this
     */
    public SparkBranch into(Path shared) {
        folder = Optional.of(shared);
        return this;
    }

    /**
     * Watches the progress, as often as executors send heartbeats.
     *
     * @param progress receives each expert's newest step, on a thread of Spark's
     * @return this
     */
    public SparkBranch listener(Consumer<BranchStep> progress) {
        listener = progress;
        return this;
    }

    /**
     * Trains all experts to the end.
     *
     * @return the experts, in the order in which they were given
     * @throws IOException if the folder cannot be made
     * @throws IllegalStateException if seed, configuration, folder or experts are missing
     * @throws io.github.bts4j.core.TrainingException in one line, if a task has failed as often as Spark allows
     */
    public List<BranchedExpert> run() throws IOException {
        String from = seed.orElseThrow(() -> new IllegalStateException("No seed was given: call seed(address)"));
        TrainerConfig how = config.orElseThrow(() -> new IllegalStateException("No configuration was given: call config(..)"));
        Path into = Files.createDirectories(folder.orElseThrow(() -> new IllegalStateException("No folder was given: call into(shared)"))).toAbsolutePath();
        if (experts.isEmpty()) {
            throw new IllegalStateException("No expert was given: call expert(name, mix)");
        }
        List<ExpertRun> runs = new ArrayList<>();
        experts.forEach((name, mix) -> runs.add(new ExpertRun(name, from, mix, how, into.toString(), frozenEmbeddings)));
        return run(spark, runs, listener);
    }

    /** Each run as a task. */
    static List<BranchedExpert> run(SparkSession spark, List<ExpertRun> runs, Consumer<BranchStep> listener) {
        SparkContext context = spark.sparkContext();
        checkMemory(context.getConf(), runs);
        BranchProgress progress = new BranchProgress();
        context.register(progress, BranchProgress.NAME);
        BranchProgress.Heartbeats heartbeats = new BranchProgress.Heartbeats(listener);
        context.addSparkListener(heartbeats);
        try {
            ExecutorPlace place = ExecutorPlace.of(context.getConf()).with(KernelChoices.current());
            List<ExpertTask> tasks = runs.stream().map(run -> new ExpertTask(run, place)).toList();
            JavaRDD<ExpertTask> all = JavaSparkContext.fromSparkContext(context).parallelize(tasks, tasks.size());
            List<BranchedExpert> done = ShutdownOrder.jobFirst(context, () -> SparkTraining.described(() -> all.map(task -> task.run(progress)).collect()));
            progress.value().values().forEach(heartbeats::tell); // what came after the last heartbeat
            return done;
        } finally {
            context.removeSparkListener(heartbeats);
        }
    }

    /** Where the seed is read by the driver, too, its size says what a task needs. */
    private static void checkMemory(SparkConf conf, List<ExpertRun> runs) {
        try {
            if (SparkSettings.limitsMemory(conf) && Files.exists(Path.of(runs.get(0).seed()))) {
                SparkSettings.checkMemory(conf, runs.get(0).bytes(LlamaConfig.read(Path.of(runs.get(0).seed()))));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
