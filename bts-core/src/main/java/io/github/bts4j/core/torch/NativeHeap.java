package io.github.bts4j.core.torch;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tunes glibc's allocator for tensor work, from inside the process, so that users need no environment variable.
 *
 * <p>libtorch takes and frees multi-megabyte buffers for every operation. glibc's defaults hand them back to the system at
 * once, and the next operation pays for the page faults. Three settings keep freed pages: a high mmap threshold (32 MiB is
 * glibc's limit), a high trim threshold, and a large top pad, which is what stops the per-thread arenas from giving back
 * whole heaps. Elsewhere than on Linux with glibc, and with {@code -Dbts4j.nativeHeap=default}, this does nothing.
 */
final class NativeHeap {
    private static final Logger LOG = LoggerFactory.getLogger(NativeHeap.class);
    private static final int M_TRIM_THRESHOLD = -1;
    private static final int M_TOP_PAD = -2;
    private static final int M_MMAP_THRESHOLD = -3;

    private NativeHeap() {}

    static void keepFreedPages() {
        if (!Platform.isLinux() || "default".equals(System.getProperty("bts4j.nativeHeap"))) {
            return;
        }
        try {
            Function mallopt = NativeLibrary.getInstance("c").getFunction("mallopt");
            set(mallopt, M_MMAP_THRESHOLD, 32 << 20);
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
