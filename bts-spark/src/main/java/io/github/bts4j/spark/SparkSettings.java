package io.github.bts4j.spark;

import io.github.bts4j.core.support.Problems;
import org.apache.spark.SparkConf;

/** Settings of Spark's that computing with tensors depends on. */
final class SparkSettings {
    static final String MIXED = "spark.bts4j.mixedProcessors";
    private static final String MASTER = "spark.master";
    private static final String CORES = "spark.executor.cores";
    private static final String CPUS = "spark.task.cpus";
    /** Spark's own part of an executor's heap, in MiB. */
    private static final long LEAST_HEAP = 300;
    /** Weights as they come and as they are kept, gradients and their serialized form. */
    private static final long HEAP_COPIES = 4;
    private static final long RESULT_MARGIN = 64;
    private static final long LEAST_OVERHEAD = 384;
    private static final double OVERHEAD_FACTOR = 0.1;

    private SparkSettings() {}

    /** Refuses settings with which tasks would disturb each other. */
    static void check(SparkConf conf) {
        Problems problems = new Problems();
        problems.addIf(conf.getBoolean("spark.speculation", false), "spark.speculation = true would compute passes twice at the same time: set spark.speculation=false");
        String master = conf.get(MASTER, "local");
        int cores = conf.getInt(CORES, 1);
        int cpus = conf.getInt(CPUS, 1);
        problems.addIf(!master.startsWith("local") && cores > cpus, "spark.task.cpus = " + cpus + " with spark.executor.cores = " + cores + " would hold "
                + cores / Math.max(1, cpus) + " models in each executor: set spark.task.cpus=" + cores + ", and a task computes with all of them");
        problems.addIf(master.startsWith("spark:") && !conf.contains(CORES), "spark.executor.cores is not set, so that an executor of " + master
                + " would take all cores of its worker and hold a model for each: set spark.executor.cores=" + cpus + ", or both it and spark.task.cpus to the cores of a worker");
        problems.throwInOneLine("");
    }

    /** What is sent to executors and back. */
    static void checkHeap(SparkConf conf, long parameters) {
        if (conf.get(MASTER, "local").matches("local(\\[.*])?")) {
            return; // the heap is this process's
        }
        long heap = conf.getSizeAsMb("spark.executor.memory", "1g");
        long needed = LEAST_HEAP + (HEAP_COPIES * Float.BYTES * parameters >> 20);
        if (heap < needed) {
            throw new IllegalArgumentException(String.format(java.util.Locale.ROOT, "spark.executor.memory = %dm is less than %,d trained parameters and their gradients need in the Java heap on their way: set spark.executor.memory=%dm",
                    heap, parameters, needed));
        }
    }

    /** The gradients of a step, on their way to the driver. */
    static void checkResults(SparkConf conf, long bytes) {
        long most = conf.getSizeAsBytes("spark.driver.maxResultSize", "1g");
        long mib = (bytes >> 20) + RESULT_MARGIN;
        if (most > 0 && most < bytes) {
            throw new IllegalArgumentException("spark.driver.maxResultSize = " + (most >> 20) + "m is less than the gradients of a step: set spark.driver.maxResultSize=" + mib + "m");
        }
    }

    /** Whether the cluster's manager ends executors that take more than their container. */
    static boolean limitsMemory(SparkConf conf) {
        String master = conf.get(MASTER, "local");
        return master.startsWith("yarn") || master.startsWith("k8s");
    }

    /** Refuses executors whose container is too small for what tensors take beside the Java heap. */
    static void checkMemory(SparkConf conf, long needed) {
        if (!limitsMemory(conf)) {
            return;
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
