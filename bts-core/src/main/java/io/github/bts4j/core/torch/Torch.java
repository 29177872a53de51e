package io.github.bts4j.core.torch;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.JniUtils;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.support.Interrupts;

/**
 * Starts DJL's PyTorch engine the way this library needs it: offline, without telemetry, with a tuned allocator.
 *
 * <p>{@link #start} is called by everything that touches tensors; calling it yourself is never necessary. Setting
 * {@code -Dai.djl.offline=false} before the first use lets DJL reach the network again. Thread-safe.
 */
public final class Torch {
    private static final String OFFLINE = "ai.djl.offline";
    private static volatile NDManager root;

    private Torch() {}

    /** Starts the engine once; later calls return at once. */
    public static void start() {
        manager();
    }

    /**
     * The root manager of everything that this library allocates.
     *
     * @return a manager that lives as long as the process
     */
    public static NDManager manager() {
        NDManager started = root;
        return started != null ? started : startOnce();
    }

    private static synchronized NDManager startOnce() {
        if (root == null) {
            if (System.getProperty(OFFLINE) == null && System.getenv("DJL_OFFLINE") == null) {
                System.setProperty(OFFLINE, "true"); // also stops DJL's calls to EC2 metadata and S3
            }
            NativeTuning.keepFreedPages();
            NativeTuning.spinBriefly();
            root = Interrupts.postponed(Torch::startEngine); // a library that is half unpacked would not be tried again
        }
        return root;
    }

    private static NDManager startEngine() {
        ExitGuard.begin();
        try {
            ExitGuard.install();
            Engine engine = Engine.getEngine("PyTorch");
            JniUtils.setGraphExecutorOptimize(false);
            NDManager manager = engine.newBaseManager();
            manager.setName("bts4j");
            return manager;
        } finally {
            ExitGuard.end();
        }
    }

    /**
     * The library that computes products with weights, probed once per process: oneDNN if it supports the type and is exact, else libtorch's own
     * kernels. {@code -Dbts4j.matmul=default} takes libtorch's for every type.
     *
     * @param type FLOAT32 or BFLOAT16, in which the products are computed, or INT8 for weights of that type
     * @return the library's name, for people to read
     * @throws IllegalArgumentException if {@code -Dbts4j.matmul} is none of its values
     * @throws io.github.bts4j.core.UnsupportedException if it requests a library that this processor does not support
     */
    public static String productsOf(ElementType type) {
        return LinearProducts.asked().library(type);
    }

    /**
     * Sets the number of threads that one tensor operation uses, for the calling thread.
     *
     * @param threads at least 1
     */
    public static void threads(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads = " + threads + ": at least 1 is needed");
        }
        start();
        JniUtils.setNumThreads(threads);
    }

    /**
     * Seeds libtorch's random generators, which dropout draws from. They belong to the process, not to a thread.
     *
     * @param seed the seed
     */
    public static void seed(long seed) {
        start();
        JniUtils.setSeed(seed);
    }

    /**
     * The number of threads that one tensor operation uses on the calling thread.
     *
     * @return at least 1
     */
    public static int threads() {
        start();
        return JniUtils.getNumThreads();
    }
}
