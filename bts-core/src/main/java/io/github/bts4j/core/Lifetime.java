package io.github.bts4j.core;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongUnaryOperator;
import java.util.function.Supplier;

/**
 * The lifetime of something with native memory: the weights of a model, the caches of a session. Computations hold it.
 *
 * <p>A call takes a {@link Lease} while it computes. {@link #close} refuses new calls, waits for running ones, and frees. Sessions and views
 * that are still open get an {@link IllegalStateException} with "This model is closed". A lifetime depends on its parents: a lease on a session is
 * also a lease on its model's weights, so that they are not freed, and the session counts as their user until it is closed. {@link #retire} lets
 * existing users continue and frees after the last of them: a model that changes uses new weights while older sessions keep theirs.
 *
 * <p>Leases are reentrant: a thread that holds one can take more, even after another thread has begun to close. A thread that closes while it holds a lease
 * does not wait, since it would wait for itself: the last call to end frees. Taking a lease costs a few atomic additions and no
 * lock. Interrupts are ignored. Thread-safe.
 */
public final class Lifetime {
    private static final long CALL = 1; // running calls: bits 0 to 29
    private static final long CALLS = (1L << 30) - 1;
    private static final long USER = 1L << 30; // open children: bits 30 to 59
    private static final long USERS = ((1L << 30) - 1) << 30;
    private static final long RETIRED = 1L << 60;
    private static final long CLOSED = 1L << 61;
    private static final long FREED = 1L << 62;
    private static final ThreadLocal<Leases> OWN = ThreadLocal.withInitial(Leases::new);

    private final String what;
    private final boolean exclusive;
    private final Lifetime[] chain; // all ancestors, the deepest first, then this one
    private final Lifetime[] parents;
    private final AtomicLong state = new AtomicLong();
    private final CountDownLatch freed = new CountDownLatch(1);
    private volatile Runnable release;

    private Lifetime(String what, boolean exclusive, Lifetime... parents) {
        this.what = what;
        this.exclusive = exclusive;
        this.parents = parents.clone();
        Set<Lifetime> all = new LinkedHashSet<>();
        for (Lifetime parent : parents) {
            all.addAll(List.of(parent.chain));
        }
        all.add(this);
        this.chain = all.toArray(Lifetime[]::new);
        List<Lifetime> used = new ArrayList<>();
        try {
            for (Lifetime parent : parents) {
                parent.addUser();
                used.add(parent);
            }
        } catch (IllegalStateException e) {
            used.forEach(Lifetime::removeUser);
            throw e;
        }
    }

    /**
     * A lifetime for shared use by many threads.
     *
     * @param what its name in messages, such as "model"
     * @param parents its dependencies; it is their user until it is freed
     * @return an open lifetime
     * @throws IllegalStateException if a parent is closed
     */
    public static Lifetime shared(String what, Lifetime... parents) {
        return new Lifetime(what, false, parents);
    }

    /**
     * A lifetime for use by one thread at a time.
     *
     * @param what its name in messages, such as "session"
     * @param parents its dependencies; it is their user until it is freed
     * @return an open lifetime; while a thread holds a lease, other threads are refused
     * @throws IllegalStateException if a parent is closed
     */
    public static Lifetime exclusive(String what, Lifetime... parents) {
        return new Lifetime(what, true, parents);
    }

    /** A lease. Closed by the thread that took it, in reverse order. */
    public interface Lease extends AutoCloseable {
        /** Ends the lease; the last one frees if the lifetime was closed. */
        @Override
        void close();
    }

    /**
     * Takes a lease on this and all its dependencies.
     *
     * @return the lease, for the calling thread
     * @throws IllegalStateException if one of them is closed, or in use by another thread if only one may use it
     */
    public Lease use() {
        Leases own = OWN.get();
        int before = own.size();
        try {
            for (Lifetime each : chain) {
                own.take(each);
            }
        } catch (IllegalStateException e) {
            own.leave(before);
            throw e;
        }
        return () -> own.leave(before);
    }

    /**
     * Runs a call under a lease.
     *
     * @param <T> type of the result
     * @param call the call
     * @return its result
     * @throws IllegalStateException as for {@link #use}
     */
    @SuppressWarnings("try") // the lease is only held
    public <T> T hold(Supplier<T> call) {
        try (Lease use = use()) {
            return call.get();
        }
    }

    /**
     * Runs a call without a result under a lease.
     *
     * @param call the call
     * @throws IllegalStateException as for {@link #use}
     */
    public void hold(Runnable call) {
        hold(() -> {
            call.run();
            return true;
        });
    }

    /**
     * Takes leases on several lifetimes, all or none.
     *
     * @param lifetimes the lifetimes
     * @return one lease on all of them
     * @throws IllegalStateException if one is closed, or in use by another thread if only one may use it
     */
    public static Lease useAll(List<Lifetime> lifetimes) {
        Leases own = OWN.get();
        int before = own.size();
        try {
            lifetimes.forEach(Lifetime::use);
        } catch (IllegalStateException e) {
            own.leave(before);
            throw e;
        }
        return () -> own.leave(before);
    }

    /** {@return whether {@link #close} was called for this or a dependency, so that new calls are refused} */
    public boolean isClosed() {
        for (Lifetime each : chain) {
            if ((each.state.get() & (CLOSED | FREED)) != 0) {
                return true;
            }
        }
        return false;
    }

    /**
     * Refuses new calls, waits for running ones, and frees. Closing twice only waits. Within a call of the same thread it returns
     * at once, and the last call to end frees.
     *
     * @param freeing frees the resources; run once, on the last thread
     */
    public void close(Runnable freeing) {
        end(CLOSED, freeing);
        if (OWN.get().size() > 0) {
            return;
        }
        boolean interrupted = false;
        while (true) {
            try {
                freed.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Frees when there are no running calls or open children left, without waiting for them. Existing users continue.
     *
     * @param freeing frees the resources; run once, on the last thread
     */
    public void retire(Runnable freeing) {
        end(RETIRED, freeing);
    }

    private void end(long how, Runnable freeing) {
        synchronized (this) {
            if (release == null) {
                release = freeing;
            }
        }
        freeIfUnused(state.updateAndGet(s -> s | how));
    }

    private void enter() {
        change(s -> {
            refuseClosed(s);
            if (exclusive && (s & CALLS) != 0) {
                throw new IllegalStateException("Another thread is using this " + what + ", which is for one thread at a time");
            }
            return s + CALL;
        });
    }

    private void addUser() {
        change(s -> {
            refuseClosed(s);
            return s + USER;
        });
    }

    private void refuseClosed(long s) {
        if ((s & (CLOSED | FREED)) != 0) {
            throw new IllegalStateException("This " + what + " is closed");
        }
    }

    private void change(LongUnaryOperator change) {
        state.getAndUpdate(change);
    }

    private void leave() {
        freeIfUnused(state.addAndGet(-CALL));
    }

    private void removeUser() {
        freeIfUnused(state.addAndGet(-USER));
    }

    private void freeIfUnused(long s) {
        boolean unused = (s & CALLS) == 0 && ((s & CLOSED) != 0 || (s & RETIRED) != 0 && (s & USERS) == 0);
        if (!unused || (s & FREED) != 0 || !state.compareAndSet(s, s | FREED)) {
            return; // in use, or freed, or another thread came in between, which will check again at its end
        }
        try {
            release.run();
        } finally {
            freed.countDown();
            for (Lifetime parent : parents) {
                parent.removeUser();
            }
        }
    }

    /** The leases of one thread. */
    private static final class Leases {
        private final List<Lifetime> held = new ArrayList<>();

        int size() {
            return held.size();
        }

        void take(Lifetime lifetime) {
            if (holds(lifetime)) {
                return; // counted, and ended after this one
            }
            lifetime.enter();
            held.add(lifetime);
        }

        private boolean holds(Lifetime lifetime) {
            for (int i = held.size() - 1; i >= 0; i--) {
                if (held.get(i) == lifetime) {
                    return true;
                }
            }
            return false;
        }

        void leave(int until) {
            for (int i = held.size() - 1; i >= until; i--) {
                held.remove(i).leave();
            }
        }
    }
}
