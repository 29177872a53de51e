package io.github.bts4j.core.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InterruptedIOException;
import org.junit.jupiter.api.Test;

/** Results, exceptions and interrupts pass from the task to the caller. */
class ThreadOfItsOwnTest {
    @Test
    void theThreadEndsWithTheTask() throws Exception {
        Thread thread = ThreadOfItsOwn.call("task", Thread::currentThread);
        assertEquals("task", thread.getName());
        thread.join(60_000);
        assertFalse(thread.isAlive());
    }

    @Test
    void exceptionsAreThoseOfTheTask() {
        for (Throwable thrown : new Throwable[] {new IOException("file"), new IllegalArgumentException("value"), new OutOfMemoryError("heap")}) {
            assertSame(thrown, assertThrows(Throwable.class, () -> ThreadOfItsOwn.call("task", () -> {
                if (thrown instanceof IOException file) {
                    throw file;
                }
                if (thrown instanceof Error error) {
                    throw error;
                }
                throw (RuntimeException) thrown;
            })));
        }
    }

    @Test
    void anInterruptReachesTheTask() {
        Thread.currentThread().interrupt();
        assertThrows(InterruptedIOException.class, () -> ThreadOfItsOwn.call("task", () -> {
            try {
                Thread.sleep(60_000);
                return "slept";
            } catch (InterruptedException e) {
                throw new InterruptedIOException();
            }
        }));
        assertTrue(Thread.interrupted(), "the caller's interrupt is kept");
    }

    /** However short it is: an interrupt behind its start would find it at its end now and then. */
    @Test
    void theTaskOfAnInterruptedCallerIsInterruptedFromItsBeginning() throws IOException {
        for (int i = 0; i < 2000; i++) {
            Thread.currentThread().interrupt();
            boolean seen = ThreadOfItsOwn.call("task", () -> Thread.currentThread().isInterrupted());
            assertTrue(Thread.interrupted(), "the caller's interrupt is kept");
            assertTrue(seen, "trial " + i);
        }
        assertFalse(ThreadOfItsOwn.call("task", () -> Thread.currentThread().isInterrupted()), "nobody was interrupted");
    }
}
