package io.github.bts4j.core;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongUnaryOperator;

/**
 * How long something with native memory lives: the weights of a model, the caches of a session. Whoever computes holds it.
 *
 * <p>A computing call takes a {@link Lease} for as long as it runs. {@link #close} refuses new calls, waits for those that run, and frees; whatever is left
 * over, a session or a view, gets an {@link IllegalStateException} that says "This model is closed". A lifetime stands on its parents: a lease of a session is
 * a lease of its model's weights as well, so that none of them is freed under it, and it counts as a user of them until it is closed. {@link #retire} lets
 * those users go on and frees after the last of them: so a model that changes takes new weights while older sessions end with theirs.
 *
 * <p>Leases nest: a thread that holds one gets more of the same, also when another thread has begun to close. A thread that closes while it holds any lease,
 * within a call of its own, does not wait, which could be for itself: the call that ends last frees. Taking a lease costs a few atomic additions; there is no
 * lock. Interrupts change nothing. Thread-safe.
 */
public final class Lifetime {
    private static final long CALL = 1; // calls in progress: bits 0 to 29
    private static final long CALLS = (1L << 30) - 1;
    private static final long USER = 1L << 30; // open children: bits 30 to 59
    private static final long USERS = ((1L << 30) - 1) << 30;
    private static final long RETIRED = 1L << 60;
    private static final long CLOSED = 1L << 61;
    private static final long FREED = 1L << 62;
    private static final ThreadLocal<Leases> OWN = ThreadLocal.withInitial(Leases::new);

    private final String what;
    private final boolean exclusive;
    private final Lifetime[] chain; // all it stands on, the deepest first, then this one
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
     * A lifetime of what any number of threads use at once.
     *
     * @param what its name in messages, such as "model"
     * @param parents what it stands on; it is their user until it is freed
     * @return an open lifetime
     * @throws IllegalStateException if a parent is closed
     */
    public static Lifetime shared(String what, Lifetime... parents) {
        return new Lifetime(what, false, parents);
    }

    /**
     * A lifetime of what one thread uses at a time.
     *
     * @param what its name in messages, such as "session"
     * @param parents what it stands on; it is their user until it is freed
     * @return an open lifetime, whose leases a second thread is refused as long as a first one holds one
     * @throws IllegalStateException if a parent is closed
     */
    public static Lifetime exclusive(String what, Lifetime... parents) {
        return new Lifetime(what, true, parents);
    }

    /** The right to use something. Closed by the thread that took it, in the reverse order of taking. */
    public interface Lease extends AutoCloseable {
        /** Gives the right back; the last one frees what was closed meanwhile. */
        @Override
        void close();
    }

    /**
     * Takes a lease of this and of everything it stands on.
     *
     * @return the lease, for the calling thread
     * @throws IllegalStateException if one of them is closed, or another thread uses what only one may
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
     * Takes leases of several at once, all or none.
     *
     * @param lifetimes what to use
     * @return one lease of them all
     * @throws IllegalStateException if one is closed, or another thread uses what only one may
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

    /**
     * Whether {@link #close} was called for this or anything it stands on.
     *
     * @return true if new calls are refused
     */
    public boolean isClosed() {
        for (Lifetime each : chain) {
            if ((each.state.get() & (CLOSED | FREED)) != 0) {
                return true;
            }
        }
        return false;
    }

    /**
     * Refuses new calls, waits for those that run, and frees. Closing again waits for the same and does nothing else. Within a call of the same thread it returns
     * at once, and the call frees that ends last.
     *
     * @param freeing what frees; run once, on whichever thread is the last
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
     * Frees as soon as nobody uses it, running calls and open children, without waiting for them. Those that use it go on.
     *
     * @param freeing what frees; run once, on whichever thread is the last
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
            return; // in use, or freed, or somebody came in between, who will look again when leaving
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

    /** What one thread holds. */
    private static final class Leases {
        private final List<Lifetime> held = new ArrayList<>();

        int size() {
            return held.size();
        }

        void take(Lifetime lifetime) {
            if (holds(lifetime)) {
                return; // counted, and given back after this one
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
