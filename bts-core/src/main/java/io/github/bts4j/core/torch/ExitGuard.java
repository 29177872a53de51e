package io.github.bts4j.core.torch;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a process end while kernels run.
 *
 * <p>When Java has run all shutdown hooks, it calls the C library's {@code exit}, which destroys the static objects of native libraries: oneDNN's caches among
 * them, which kernels on other threads may be reading. That ends in a crash instead of the exit status. So {@code _exit} is the first function that {@code
 * exit} calls ({@code on_exit} of glibc): the process ends there, with its status, and nothing is destroyed. By then Java has done everything that it does at
 * its end: it has run the shutdown hooks, which may finish their computations, and deleted files.
 *
 * <p>The function that was registered last is called first, and libraries register a destructor with the first use of an object. Therefore
 * {@link #renew} is needed after the first call of every kernel, and a shutdown hook that waits for first calls in progress, ten seconds at
 * most. On systems other than Linux with glibc, and with {@code -Dbts4j.exit=default}, the process ends as the C library ends it.
 */
final class ExitGuard {
    private static final Logger LOG = LoggerFactory.getLogger(ExitGuard.class);
    private static final long LONGEST_WAIT = TimeUnit.SECONDS.toNanos(10);
    private static final long PAUSE_MILLIS = 5;
    private static final AtomicInteger FIRST = new AtomicInteger(); // starts of the engine and first calls of kernels in progress

    private ExitGuard() {}

    /** Must be called before the engine is loaded. */
    static void install() {
        try {
            Runtime.getRuntime().addShutdownHook(new Thread(ExitGuard::await, "bts4j-exit"));
        } catch (IllegalStateException e) {
            LOG.debug("The process is ending already", e);
        }
    }

    /** Begins a call that may create static objects; {@link #end} must follow. */
    static void begin() {
        FIRST.incrementAndGet();
    }

    /** Ends the call. */
    static void end() {
        renew();
        FIRST.decrementAndGet();
    }

    private static void await() {
        renew();
        long begin = System.nanoTime();
        try {
            while (FIRST.get() > 0 && System.nanoTime() - begin < LONGEST_WAIT) {
                Thread.sleep(PAUSE_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        renew();
    }

    /** Registers again, in order to be called before functions that others have registered since. */
    private static void renew() {
        if (!Platform.isLinux() || "default".equals(System.getProperty("bts4j.exit"))) {
            return;
        }
        try {
            NativeLibrary c = NativeLibrary.getInstance("c");
            Function exit = c.getFunction("_exit");
            if (c.getFunction("on_exit").invokeInt(new Object[] {exit, null}) != 0) {
                LOG.debug("on_exit was refused");
            }
        } catch (UnsatisfiedLinkError e) {
            LOG.debug("No on_exit in this C library: kernels that still run when the process ends may crash it", e);
        }
    }
}
