package io.github.bts4j.spark;

import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.support.Processor;
import io.github.bts4j.core.torch.KernelChoices;
import io.github.bts4j.train.cluster.Cluster;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import org.apache.spark.SparkConf;
import org.apache.spark.TaskContext;

/**
 * What a task knows of the driver.
 *
 * @param origins where the driver's copies of remote files came from
 * @param processor the driver's kind of processor
 * @param mixed whether executors may have other kinds
 * @param kernels those that the driver computes with, see {@link KernelChoices}; empty for the usual ones
 */
record ExecutorPlace(HashMap<String, String> origins, String processor, boolean mixed, String kernels) implements Cluster.Place, java.io.Serializable {
    /** As the driver is. */
    static ExecutorPlace of(SparkConf conf) {
        return new ExecutorPlace(SharedFiles.origins(), Processor.kind(), conf.getBoolean(SparkSettings.MIXED, false), "");
    }

    /** The same for tasks that compute with the driver's kernels. */
    ExecutorPlace with(KernelChoices choices) {
        return new ExecutorPlace(origins, processor, mixed, choices.toString());
    }

    /** Binds the task's thread to these kernels. */
    KernelChoices.Binding bind() {
        return KernelChoices.parse(kernels).bind();
    }

    @Override
    public Path find(String path) throws IOException {
        return SharedFiles.find(path, origins);
    }

    @Override
    public int threads() {
        checkProcessor();
        NativeCache.check();
        return TaskContext.get() == null ? 1 : TaskContext.get().cpus();
    }

    /** Refuses an executor that rounds sums differently. */
    void checkProcessor() {
        if (!mixed && !Processor.kind().equals(processor)) {
            throw new UnsupportedException("This executor's processor is " + Processor.kind() + ", the driver's is " + processor + ": they round sums differently; use machines of one kind, or set "
                    + SparkSettings.MIXED + "=true, after which runs are no longer equal to the bit");
        }
    }
}
