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
 * them, which kernels on other threads may be reading. That ends in a crash instead of the exit status. So {@code _exit} is the first function that
 * {@code exit} calls ({@code on_exit} of glibc): the process ends there, with its status, and nothing is destroyed. Everything that Java does at its end has been
 * done by then: shutdown hooks, which may compute to their end, and files to delete.
 *
 * <p>What was registered last is called first, and libraries register a destructor with the first use of an object. Therefore {@link #renew} is needed after the first call of
 * every kernel, and a shutdown hook that waits for first calls in progress, ten seconds at most. Elsewhere than on Linux with glibc, and with
 * {@code -Dbts4j.exit=default}, the process ends as the C library ends it.
 */
final class ExitGuard {
    private static final Logger LOG = LoggerFactory.getLogger(ExitGuard.class);
    private static final long LONGEST_WAIT = TimeUnit.SECONDS.toNanos(10);
    private static final long PAUSE_MILLIS = 5;
    private static final AtomicInteger FIRST = new AtomicInteger(); // starts of the engine and first calls of kernels in progress

    private ExitGuard() {}

    /** Before the engine is loaded. */
    static void install() {
        try {
            Runtime.getRuntime().addShutdownHook(new Thread(ExitGuard::await, "bts4j-exit"));
        } catch (IllegalStateException e) {
            LOG.debug("The process is ending already", e);
        }
    }

    /** Something begins that may make static objects; {@link #end} follows. */
    static void begin() {
        FIRST.incrementAndGet();
    }

    /** It has ended. */
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

    /** Registers again, to come before later registrations. */
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
