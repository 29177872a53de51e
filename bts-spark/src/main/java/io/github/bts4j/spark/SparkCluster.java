package io.github.bts4j.spark;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.ForwardingLm;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.train.Trainable;
import io.github.bts4j.train.cluster.Cluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.apache.spark.TaskContext;
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
    }

    @Override
    public Trainable training(Trainable here) {
        return SparkTraining.on(spark, here);
    }

    @Override
    public CausalLm scoring(CausalLm here, Path model, LoadOptions options) {
        ExecutorModels.Address address = ExecutorModels.Address.of(model, options);
        JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
        return new ForwardingLm(here) {
            @Override
            public float[][] tokenLosses(int[][] tokens) {
                return tokenLosses(Collections.singletonList(tokens)).get(0);
            }

            @Override
            public List<float[][]> tokenLosses(List<int[][]> batches) {
                int tasks = Math.min(batches.size(), Math.max(1, 4 * context.defaultParallelism()));
                return SparkTraining.described(() -> context.parallelize(batches, tasks).map(tokens -> losses(address, tokens)).collect());
            }
        };
    }

    private static float[][] losses(ExecutorModels.Address address, int[][] tokens) {
        return ExecutorFailure.describing(() -> {
            io.github.bts4j.core.torch.Torch.threads(TaskContext.get().cpus());
            return ExecutorModels.open(address).model().tokenLosses(tokens);
        });
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
