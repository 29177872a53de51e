package io.github.bts4j.stitch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.torch.FiniteTensors;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * The current state of a stitched model. A change replaces it, and the previous state is freed after its
 * last user. No method blocks while it holds the lock. Thread-safe.
 */
final class StitchState {
    private final NDManager manager;
    private final LoadOptions options;
    private final Set<StitchParts> living = new LinkedHashSet<>();
    private final Set<StitchSnapshot> snapshots = new LinkedHashSet<>();
    private StitchParts parts;
    private StitchSnapshot snapshot; // null if the weights have changed since the last one
    private boolean training;
    private int pins; // number of users of the stitch weights outside of this class

    StitchState(NDManager manager, StitchParts parts, LoadOptions options) {
        this.manager = manager;
        this.options = options;
        this.parts = parts;
        living.add(parts);
    }

    /** An object with a lease on it. */
    record Held<T>(T it, Lifetime.Lease lease) implements AutoCloseable {
        @Override
        public void close() {
            lease.close();
        }
    }

    synchronized StitchParts parts() {
        return parts;
    }

    synchronized Held<StitchParts> holdParts() {
        return new Held<>(parts, parts.lifetime().use());
    }

    /** For one call of inference, or to open a session or view. */
    synchronized Held<StitchSnapshot> hold() {
        if (snapshot == null) {
            try (Held<StitchParts> held = holdParts()) {
                snapshot = new StitchSnapshot(held.it(), manager);
                snapshots.add(snapshot);
            }
        }
        return new Held<>(snapshot, snapshot.lifetime().use());
    }

    /** Writes to the stitch weights atomically with respect to inference. */
    @SuppressWarnings("try") // the lease is only held
    synchronized void write(Runnable writing) {
        try (Held<StitchParts> held = holdParts()) {
            writing.run();
        } finally {
            retireSnapshot();
        }
    }

    /** Reads parts while no other thread writes to the weights within {@link #write}. */
    interface Reading {
        void read(StitchParts parts) throws IOException;
    }

    synchronized void read(Reading reading) throws IOException {
        try (Held<StitchParts> held = holdParts()) {
            reading.read(held.it());
        }
    }

    void requireFiniteWeights() {
        try (Held<StitchParts> held = holdParts()) {
            held.it().models().forEach(LlamaModel::requireFiniteWeights);
            FiniteTensors.require("stitches", held.it().weights().tensors());
        }
    }

    private void retireSnapshot() {
        if (snapshot != null) {
            StitchSnapshot old = snapshot;
            snapshot = null;
            old.passed();
            old.lifetime().retire(() -> free(old));
        }
    }

    /** Replaces the state; unchanged on failure. */
    synchronized void replace(UnaryOperator<StitchParts> change) {
        requireNoTraining();
        StitchParts old = parts;
        parts = change.apply(old);
        living.add(parts);
        retireSnapshot();
        old.lifetime().retire(() -> free(old));
    }

    /** Loads one more expert; other threads may add or remove experts at the same time. */
    void add(Member member) throws IOException {
        StitchParts now = parts();
        StitchValidation.check(Stream.concat(now.members().stream(), Stream.of(member)).toList(), now.config());
        LlamaModel added = Members.open(now.members().get(0), now.models().get(0), member, options.withPrecision(now.models().get(0).precision()));
        try {
            replace(old -> old.with(manager, member, added));
        } catch (RuntimeException e) {
            added.close();
            throw e;
        }
    }

    /** Loads another model into an expert's place; other threads may add or remove experts at the same time. */
    void exchange(String name, Member member) throws IOException {
        StitchParts now = parts();
        int index = now.expertIndex(name);
        List<Member> members = new ArrayList<>(now.members());
        members.set(index, member);
        StitchValidation.check(members, now.config());
        Map<String, String> before = now.models().get(index).fingerprint().files();
        LlamaModel other = Members.open(now.members().get(0), now.models().get(0), member, options.withPrecision(now.models().get(0).precision()));
        try {
            replace(old -> old.replaced(manager, name, member, other, before));
        } catch (RuntimeException e) {
            other.close();
            throw e;
        }
    }

    private void requireNoTraining() {
        throwIf(training || pins > 0,
                () -> new IllegalStateException("This model is being trained: its experts and stitch weights can be changed after the training has ended"));
    }

    /** Registers a training, of which there can be one, until the result is closed. */
    synchronized Lifetime.Lease train() {
        throwIf(training, () -> new IllegalStateException("This model is already being trained: one training at a time"));
        training = true;
        return this::trained;
    }

    private synchronized void trained() {
        training = false;
    }

    /** Keeps the current parts until the result is closed: changes are refused, and closing waits. */
    synchronized Lifetime.Lease pin() {
        Lifetime.Lease use = parts.lifetime().use();
        pins++;
        return () -> {
            unpin();
            use.close();
        };
    }

    private synchronized void unpin() {
        pins--;
    }

    private void free(StitchSnapshot old) {
        synchronized (this) {
            snapshots.remove(old);
        }
        old.free();
    }

    private void free(StitchParts old) {
        List<LlamaModel> unused = new ArrayList<>(old.models());
        synchronized (this) {
            living.remove(old);
            living.forEach(other -> unused.removeAll(other.models()));
        }
        old.free();
        unused.forEach(LlamaModel::close);
    }

    /** Frees everything; called when no computation is running. */
    void free() {
        List<StitchSnapshot> lastSnapshots;
        List<StitchParts> lastParts;
        synchronized (this) {
            lastSnapshots = List.copyOf(snapshots);
            lastParts = List.copyOf(living);
        }
        lastSnapshots.forEach(each -> each.lifetime().close(() -> free(each)));
        lastParts.forEach(each -> each.lifetime().close(() -> free(each)));
    }
}
