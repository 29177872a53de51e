package io.github.bts4j.train.cluster;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.train.BranchStep;
import io.github.bts4j.train.BranchedExpert;
import io.github.bts4j.train.ExpertRun;
import io.github.bts4j.train.Trainable;
import io.github.bts4j.train.TrainingSource;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import java.util.function.Consumer;

/** Other processes that compute for this one. Closing it releases them. Not thread-safe. */
public interface Cluster extends AutoCloseable {
    /** Opens clusters; found by {@link ServiceLoader}. */
    interface Provider {
        /**
         * Opens a cluster.
         *
         * @param master its address
         * @return the cluster, which the caller closes
         * @throws UnsupportedException if something that it needs is missing
         * @throws IllegalArgumentException if the address or a setting does not fit
         */
        Cluster open(String master);

        /**
         * Copies a file or folder of a store to this machine, unless it has it.
         *
         * @param address its address, such as {@code hdfs://host/models/seed}
         * @return where it is on this machine
         * @throws IOException if it does not exist, or cannot be read or copied
         */
        Path local(String address) throws IOException;
    }

    /** Where a task runs. */
    interface Place extends TrainingSource.Files {
        /**
         * How many threads a task computes with; whoever computes with tensors asks for it.
         *
         * @return at least 1
         * @throws UnsupportedException if this machine rounds sums differently from the first process's
         */
        int threads();
    }

    /**
     * What is computed of one item, in whichever process. Its results depend on nothing else.
     *
     * @param <T> the type of an item
     * @param <R> the type of a result
     */
    interface Task<T, R> extends Serializable {
        /**
         * Computes.
         *
         * @param item the item
         * @param place where the first process's files are, and how many threads there are
         * @return the result, serializable
         * @throws Exception if it fails; its message is shown
         */
        R of(T item, Place place) throws Exception;
    }

    /**
     * What is computed of one item with a model.
     *
     * @param <T> the type of an item
     * @param <R> the type of a result
     */
    interface ModelTask<T, R> extends Serializable {
        /**
         * Computes.
         *
         * @param model the model, which stays open
         * @param item the item
         * @return the result, serializable
         * @throws Exception if it fails; its message is shown
         */
        R of(TextModel model, T item) throws Exception;
    }

    /**
     * A training whose passes are computed there; it has the same results as here, to the bit.
     *
     * @param here the training in this process
     * @return the training to give to a trainer
     * @throws UnsupportedException if it cannot be opened there
     */
    Trainable training(Trainable here);

    /**
     * A model whose losses are computed there.
     *
     * @param here the model in this process
     * @param model the path that it was opened from
     * @param options the options that it was opened with
     * @return a view of the model, which need not be closed
     */
    CausalLm scoring(CausalLm here, Path model, LoadOptions options);

    /**
     * Trains experts, each as one task; a run there is that of one process, to the bit. One whose process is lost is resumed in another.
     *
     * @param runs the experts' runs, whose folder all machines mount
     * @param progress receives newer steps of the experts now and then, on any thread
     * @return the experts, in the order of the runs
     * @throws io.github.bts4j.core.TrainingException in one line, if a task has failed as often as the cluster allows
     */
    List<BranchedExpert> branch(List<ExpertRun> runs, Consumer<BranchStep> progress);

    /**
     * Computes something of each of many items.
     *
     * @param items the items, serializable
     * @param task what is computed of one
     * @param <T> the type of an item
     * @param <R> the type of a result, serializable
     * @return the results, in the order of the items
     * @throws io.github.bts4j.core.TrainingException in one line, if a task has failed as often as the cluster allows
     */
    <T, R> List<R> each(List<T> items, Task<T, R> task);

    /**
     * Computes something of each of many items with a model, which every process opens once.
     *
     * @param model the path that the model is opened from
     * @param options the options that it is opened with
     * @param items the items, serializable
     * @param task what is computed of one
     * @param <T> the type of an item
     * @param <R> the type of a result, serializable
     * @return the results, in the order of the items
     * @throws UnsupportedException if the options ask for what executors have not
     * @throws io.github.bts4j.core.TrainingException in one line, if a task has failed as often as the cluster allows
     */
    <T, R> List<R> withModel(Path model, LoadOptions options, List<T> items, ModelTask<T, R> task);

    /** {@return how many tasks are computed at once} */
    int parallelism();

    @Override
    void close();

    /**
     * Opens a cluster.
     *
     * @param master the address: {@code local[4]}, {@code spark://host:7077}, {@code yarn}, {@code k8s://..}
     * @return the cluster, which the caller closes
     * @throws UnsupportedException if bts-spark or Spark is not on the class path
     * @throws IllegalArgumentException if the address or a setting does not fit
     */
    static Cluster open(String master) {
        String task = "Computing on " + master;
        try {
            return provider(task).open(master);
        } catch (LinkageError e) {
            throw missing(task, "Apache Spark", e);
        }
    }

    /**
     * Copies a file or folder of a store, such as HDFS or S3, to this machine, unless it has it.
     *
     * @param address its address, such as {@code hdfs://host/models/seed} or {@code s3a://bucket/models/seed}
     * @return where it is on this machine
     * @throws IOException if it does not exist, or cannot be read or copied
     * @throws UnsupportedException if bts-spark or Spark is not on the class path
     */
    static Path local(String address) throws IOException {
        String task = "Reading " + address;
        try {
            return provider(task).local(address);
        } catch (LinkageError e) {
            throw missing(task, "Apache Spark", e);
        }
    }

    private static Provider provider(String task) {
        return ServiceLoader.load(Provider.class).findFirst().orElseThrow(() -> missing(task, "bts-spark", null));
    }

    private static UnsupportedException missing(String task, String what, Throwable cause) {
        return new UnsupportedException(task + " needs " + what + ", which is not on the class path: set BTS_CLASSPATH to bts-spark's jar and to the jars of Apache Spark 4.2 "
                + "(bts-spark.jar:SPARK_HOME/jars/*, before bts4j's own), or run the command by spark-submit; see docs/scale-out.md", cause);
    }
}
