package io.github.bts4j.train.cluster;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.train.Trainable;
import java.nio.file.Path;
import java.util.ServiceLoader;

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
        try {
            return ServiceLoader.load(Provider.class).findFirst().orElseThrow(() -> missing(master, "bts-spark", null)).open(master);
        } catch (LinkageError e) {
            throw missing(master, "Apache Spark", e);
        }
    }

    private static UnsupportedException missing(String master, String what, Throwable cause) {
        return new UnsupportedException("Computing on " + master + " needs " + what + ", which is not on the class path: set BTS_CLASSPATH to bts-spark's jar and to the jars of Apache Spark 4.2 "
                + "(bts-spark.jar:SPARK_HOME/jars/*, before bts4j's own), or run the command by spark-submit; see docs/scale-out.md", cause);
    }
}
