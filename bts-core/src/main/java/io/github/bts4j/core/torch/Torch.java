package io.github.bts4j.core.torch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.JniUtils;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.support.Interrupts;

/**
 * Starts DJL's PyTorch engine the way this library needs it: offline, without telemetry, with a tuned allocator.
 *
 * <p>Everything that uses tensors calls {@link #start}; you never need to call it yourself. Setting {@code -Dai.djl.offline=false} before
 * the first use lets DJL reach the network again. Thread-safe.
 */
public final class Torch {
    private static final String OFFLINE = "ai.djl.offline";
    private static volatile NDManager root;

    private Torch() {}

    /** Starts the engine once; later calls return at once. */
    public static void start() {
        manager();
    }

    /** {@return the root manager of everything that this library allocates, which lives as long as the process} */
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
            root = Interrupts.postponed(Torch::startEngine); // a partly unpacked library would not be unpacked again
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
     * The library that computes products with weights: oneDNN if it supports the type, is exact, and was not measured to be slower on this machine, else
     * libtorch's own kernels ({@link MachineKernels}). {@code -Dbts4j.matmul=default} takes libtorch's for every type, {@code onednn} oneDNN.
     *
     * @param type FLOAT32 or BFLOAT16, in which the products are computed, or INT8 for weights of that type
     * @return the library's name, for messages
     * @throws IllegalArgumentException if {@code -Dbts4j.matmul} is none of its values
     * @throws io.github.bts4j.core.UnsupportedException if it requests a library that this processor does not support
     */
    public static String productsOf(ElementType type) {
        return LinearProducts.asked().library(type, KernelChoices.current());
    }

    /**
     * Sets the number of threads that one tensor operation uses, for the calling thread.
     *
     * @param threads at least 1
     */
    public static void threads(int threads) {
        throwIf(threads < 1, () -> new IllegalArgumentException("threads = " + threads + ": at least 1 is needed"));
        start();
        JniUtils.setNumThreads(threads);
    }

    /** {@return the number of threads that one tensor operation uses on the calling thread, at least 1} */
    public static int threads() {
        start();
        return JniUtils.getNumThreads();
    }
}
