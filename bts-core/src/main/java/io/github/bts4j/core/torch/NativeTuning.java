package io.github.bts4j.core.torch;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tunes the C library for tensor work, from inside the process, so that users need no environment variable.
 *
 * <p>libtorch allocates and frees multi-megabyte buffers for every operation. glibc's defaults return them to the system at once, and the
 * next operation pays for the page faults. Three settings keep freed pages: no separate mapping of single buffers (a float32 forward's
 * logits alone are 33 MB), a high trim threshold, and a large top pad, which is what stops the per-thread arenas from giving back whole
 * heaps. On systems other than Linux with glibc, and with {@code -Dbts4j.nativeHeap=default}, this does nothing.
 */
final class NativeTuning {
    private static final Logger LOG = LoggerFactory.getLogger(NativeTuning.class);
    private static final int M_TRIM_THRESHOLD = -1;
    private static final int M_TOP_PAD = -2;
    private static final int M_MMAP_MAX = -4;

    private static final String SPIN_COUNT = "10000";

    private NativeTuning() {}

    /**
     * Lets idle OpenMP threads sleep soon instead of spinning. With libgomp's default they spin for a millisecond and more after every
     * operation; on a machine that other processes use as well, each operation then waits for a thread that is not running, and training
     * has been seen to run twenty times slower. The user's own settings take precedence.
     */
    static void spinBriefly() {
        if (!Platform.isLinux() || System.getenv("OMP_WAIT_POLICY") != null || System.getenv("GOMP_SPINCOUNT") != null) {
            return;
        }
        try { // read by libgomp when it is loaded, which is later
            NativeLibrary.getInstance("c").getFunction("setenv").invokeInt(new Object[] {"GOMP_SPINCOUNT", SPIN_COUNT, 0});
        } catch (UnsatisfiedLinkError e) {
            LOG.debug("No setenv in this C library: OpenMP keeps its default", e);
        }
    }

    static void keepFreedPages() {
        if (!Platform.isLinux() || "default".equals(System.getProperty("bts4j.nativeHeap"))) {
            return;
        }
        try {
            Function mallopt = NativeLibrary.getInstance("c").getFunction("mallopt");
            set(mallopt, M_MMAP_MAX, 0);
            set(mallopt, M_TRIM_THRESHOLD, Integer.MAX_VALUE);
            set(mallopt, M_TOP_PAD, 64 << 20);
        } catch (UnsatisfiedLinkError e) {
            LOG.debug("No mallopt in this C library: the allocator keeps its defaults", e);
        }
    }

    private static void set(Function mallopt, int parameter, int value) {
        if (mallopt.invokeInt(new Object[] {parameter, value}) == 0) {
            LOG.debug("mallopt({}, {}) was refused", parameter, value);
        }
    }
}
