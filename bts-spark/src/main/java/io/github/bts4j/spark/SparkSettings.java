package io.github.bts4j.spark;

import io.github.bts4j.core.support.Problems;
import org.apache.spark.SparkConf;

/** Settings of Spark's that computing with tensors depends on. */
final class SparkSettings {
    static final String MIXED = "spark.bts4j.mixedProcessors";
    private static final long LEAST_OVERHEAD = 384;
    private static final double OVERHEAD_FACTOR = 0.1;

    private SparkSettings() {}

    /** Refuses settings with which tasks would disturb each other. */
    static void check(SparkConf conf) {
        Problems problems = new Problems();
        problems.addIf(conf.getBoolean("spark.speculation", false), "spark.speculation = true would compute passes twice at the same time: set spark.speculation=false");
        int cores = conf.getInt("spark.executor.cores", 1);
        int cpus = conf.getInt("spark.task.cpus", 1);
        problems.addIf(!conf.get("spark.master", "local").startsWith("local") && cores > cpus, "spark.task.cpus = " + cpus + " with spark.executor.cores = " + cores + " would hold "
                + cores / Math.max(1, cpus) + " models in each executor: set spark.task.cpus=" + cores + ", and a task computes with all of them");
        problems.throwInOneLine("");
    }

    /** Refuses executors whose container is too small for what tensors take beside the Java heap. */
    static void checkMemory(SparkConf conf, long needed) {
        String master = conf.get("spark.master", "local");
        if (!master.startsWith("yarn") && !master.startsWith("k8s")) {
            return; // nobody else limits an executor's native memory
        }
        long heap = conf.getSizeAsMb("spark.executor.memory", "1g");
        double factor = conf.getDouble("spark.executor.memoryOverheadFactor", OVERHEAD_FACTOR);
        long overhead = conf.getSizeAsMb("spark.executor.memoryOverhead", Math.max(LEAST_OVERHEAD, (long) (heap * factor)) + "m");
        long mib = (needed >> 20) + 1;
        if (overhead < mib) {
            throw new IllegalArgumentException("spark.executor.memoryOverhead = " + overhead + "m is less than a pass needs outside of the Java heap: set spark.executor.memoryOverhead=" + mib + "m");
        }
    }
}
