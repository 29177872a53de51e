package io.github.bts4j.train;

import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.torch.KernelChoices;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.data.DomainUse;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.metrics.StepMetrics;
import io.github.bts4j.train.optim.AdamStatistics;
import io.github.bts4j.train.stability.Reaction;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Trains the stitch layers of a stitched model or all weights of an expert: forward and backward passes over a datamix, clipping by
 * the global norm, AdamW, a learning-rate schedule, run checkpoints and exact resume.
 *
 * <p>A run is a function of its configuration, its data and its starting weights: batches are found by position, random draws are seeded
 * by step, and the optimizer's state is saved. So a resumed run computes the same as an uninterrupted one, bit by
 * bit on one thread, with the kernels that it began with ({@link KernelChoices}). Not thread-safe. It closes neither the model nor the listener.
 */
public final class Trainer implements AutoCloseable {
    private final TrainerHold hold;
    private final Trainable model;
    private final Datamix data;
    private final TrainerConfig config;
    private final MetricsListener listener;
    private final DivergenceGuard guard;
    private final WeightUpdate update;
    private final RunOutput output = new RunOutput();
    private Optional<RunValidation> validation = Optional.empty();
    private String validationIdentity = "none";
    private KernelChoices kernels = KernelChoices.current();
    private boolean stopsOnShutdown;
    private volatile boolean stopRequested;
    private long step;
    private long position;
    private long tokensSeen;

    /**
     * Prepares a run.
     *
     * @param model what to train
     * @param data the mixture of domains
     * @param config how to train
     * @param listener receives the metrics of every step
     */
    @SuppressWarnings("try") // the lease is only held
    public Trainer(Trainable model, Datamix data, TrainerConfig config, MetricsListener listener) {
        this.model = model;
        this.data = data;
        this.config = config;
        this.listener = listener;
        this.guard = new DivergenceGuard(config.safeguards(), listener);
        try (Lifetime.Lease trained = model.use()) {
            this.hold = new TrainerHold(model);
            this.update = new WeightUpdate(model, config, guard);
        }
    }

    /**
     * Validates the run on held-out text.
     *
     * @param how when, on which text, and whether the run may stop early
     * @return this trainer
     */
    public Trainer validate(Validation how) {
        validation = Optional.of(new RunValidation(how, model, listener));
        validationIdentity = how.identity();
        return this;
    }

    /**
     * On SIGTERM or SIGINT, lets the run finish its step and write a checkpoint before the process ends. Listeners must
     * not call {@code System.exit} then: it would wait for the run, and the run for the listener.
     *
     * @return this trainer
     */
    public Trainer stopOnShutdown() {
        stopsOnShutdown = true;
        return this;
    }

    /** Ends the run after the current step, with a checkpoint. Thread-safe. A run that has not begun is not stopped. */
    public void stop() {
        stopRequested = true;
    }

    /**
     * Writes run checkpoints into a folder, as often as the configuration says and at the end of the run.
     *
     * @param folder the run's folder, made if absent; locked until this trainer is closed
     * @return this trainer
     * @throws IOException if the folder cannot be written to; the trainer is closed then
     * @throws io.github.bts4j.core.LockedException if another trainer, of this process or another, writes into it
     */
    public Trainer saveTo(Path folder) throws IOException {
        try {
            output.lock(folder);
        } catch (IOException | RuntimeException e) {
            close(); // the caller of new Trainer(..).saveTo(..) has no reference to close
            throw e;
        }
        return this;
    }

    /**
     * Writes run checkpoints into a folder that the caller has locked.
     *
     * @param locked the run's folder; the caller closes the lock after this trainer
     * @return this trainer
     */
    public Trainer saveTo(RunLock locked) {
        output.use(locked);
        return this;
    }

    /**
     * Resumes from the newest undamaged checkpoint of a run, if there is one. Damaged newer ones are reported to the listener.
     *
     * @param folder the run's folder
     * @param allowed what may differ from the saved run; differences are reported to the listener
     * @return true if a checkpoint was restored
     * @throws IOException if a file cannot be read
     * @throws ResumeException listing all differences of configuration, data or model that are not allowed
     * @throws io.github.bts4j.core.checkpoint.ModelFormatException if every checkpoint is damaged
     */
    @SuppressWarnings("try") // the lease is only held
    public boolean resumeFrom(Path folder, ResumeChange... allowed) throws IOException {
        Optional<Path> latest = RunCheckpoint.latestWhole(folder, listener::onMessage);
        if (latest.isEmpty()) {
            return false;
        }
        RunState state = RunCheckpoint.state(latest.get());
        List<RunDifference> changed = RunDifference.between(state, identity(), data.fingerprint(), model.identity());
        RunDifference.refuse(latest.get(), changed, Set.of(allowed));
        try (Lifetime.Lease use = hold.use()) {
            restore(latest.get());
        }
        kernels = RunKernels.resumed(state, listener);
        step = state.step();
        position = state.position();
        tokensSeen = state.tokensSeen();
        guard.restore(state.safety());
        validation.ifPresent(v -> v.restore(state.validation()));
        changed.forEach(change -> listener.onResumedWith(change.part(), change.name(), change.saved(), change.now()));
        String best = state.validation().bestStep() < 0 ? "" : ", best validation at step " + state.validation().bestStep();
        listener.onMessage("Resumed from " + latest.get().getFileName() + ": weights, moments, " + (config.optimization().averageDecay() > 0 ? "averages, " : "") + "step " + step + " of " + config.totalSteps()
                + ", data position " + position + best);
        return true;
    }

    private String identity() {
        return config.identity() + " validation: " + validationIdentity;
    }

    private void restore(Path checkpoint) throws IOException {
        RunCheckpoint.restore(checkpoint, model.parameters(), update.state());
        model.weightsChanged();
    }

    /**
     * Trains to the end of the run, until it is stopped, or until its {@link Validation} stops it early.
     *
     * @throws IOException if a checkpoint cannot be written; the older ones stay whole
     * @throws TrainingDivergedException if a loss or gradient is not finite; the weights are those of the step before
     */
    public void run() throws IOException {
        runTo(config.totalSteps());
    }

    /**
     * Trains up to a step, then stops with a checkpoint, as if interrupted there; {@link #stop} and early stopping may end it sooner.
     *
     * @param lastStep the step to stop after, at most the configured total
     * @throws IOException if a checkpoint cannot be written; the older ones stay whole
     * @throws TrainingDivergedException if a loss or gradient is not finite; the weights are those of the step before
     */
    @SuppressWarnings("try") // guard, leases and binding are only held
    public void runTo(long lastStep) throws IOException {
        if (lastStep > config.totalSteps()) {
            throw new IllegalArgumentException("lastStep = " + lastStep + " is beyond totalSteps = " + config.totalSteps());
        }
        if (config.safeguards().rewind().isPresent()) {
            Path folder = output.folder().orElseThrow(() -> new IllegalStateException("A Rewind goes back to run checkpoints: call saveTo(folder) first"));
            if (RunCheckpoint.latest(folder).isEmpty()) {
                checkpoint(folder); // of step 0, so that a rewind has a checkpoint
            }
        }
        try (ShutdownGuard guard = stopsOnShutdown ? ShutdownGuard.of(this::stop) : ShutdownGuard.NONE; Lifetime.Lease training = model.begin(); KernelChoices.Binding same = kernels.bind()) {
            hold.requireSameParameters();
            while (step < lastStep && !stopRequested && !isOver()) {
                try (Lifetime.Lease use = hold.use()) {
                    stepAndSave(lastStep);
                }
            }
            listener.onMessage("Read so far: " + data.use(position, config.batches().sequenceLength()).stream().map(DomainUse::text).collect(Collectors.joining(", ")));
            if (stopRequested) { // reported before the guard lets the process end
                listener.onMessage("Stopped at step " + step + " of " + config.totalSteps() + ", as requested" + output.folder().map(folder -> "; saved in " + folder).orElse(""));
            }
        }
    }

    /** {@return whether the run is finished, not just stopped: after the last step, or if the {@link Validation} stopped the run early} */
    public boolean isFinished() {
        return step >= config.totalSteps() || isOver();
    }

    private boolean isOver() {
        return validation.isPresent() && validation.get().isOver();
    }

    private void stepAndSave(long lastStep) throws IOException {
        Optional<String> trouble = oneStep();
        if (trouble.isPresent()) {
            react(trouble.get());
        }
        boolean best = validation.isPresent() && validation.get().isDue(step, config.totalSteps()) && validation.get().judge(step);
        if (output.folder().isPresent() && (config.checkpoints().isDue(step) || best || step == lastStep || stopRequested || isOver())) {
            checkpoint(output.folder().get());
        }
    }

    /** The reason for a reaction, or empty. */
    private Optional<String> oneStep() {
        long begin = System.nanoTime();
        skipBatches();
        DomainLosses losses = new DomainLosses(data.domains());
        int passes = config.batches().ramp().at(step, config.batches().accumulation());
        int sequences = Math.multiplyExact(passes, config.batches().microBatch());
        int tokens = Math.multiplyExact(sequences, config.batches().sequenceLength());
        StepBatches batches = StepBatches.read(data, position, passes, config);
        List<float[]> found = model.accumulateStep(batches.passes(config.seed(), step), config.batches().lanes());
        for (int pass = 0; pass < passes; pass++) {
            losses.add(batches.of().get(pass), found.get(pass));
        }
        double gradientNorm = update.gradientNorm();
        if (!Double.isFinite(losses.mean()) || !Double.isFinite(gradientNorm)) {
            update.zeroGradients();
            if (guard.skipNonFinite(step, losses.mean(), gradientNorm)) {
                step++;
                position += sequences;
                return Optional.empty();
            }
            throw new TrainingDivergedException(step, losses.mean(), gradientNorm);
        }
        double learningRate = config.learningRate().at(step) * guard.learningRateFactor();
        Map<String, AdamStatistics> measured = update.apply(step, gradientNorm, learningRate);
        step++;
        position += sequences;
        tokensSeen += batches.predicted();
        Optional<String> trouble = guard.observe(step, losses.mean(), measured);
        listener.onStep(new StepMetrics(step, config.totalSteps(), losses.mean(), losses.byDomain(), gradientNorm, learningRate, tokensSeen, tokens * 1e9 / (System.nanoTime() - begin), guard.metrics(measured)));
        guard.report(step, measured);
        return trouble;
    }

    private void skipBatches() {
        long batch = position / config.sequencesPerStep();
        long next = config.safeguards().skipBatches().next(batch);
        if (next > batch) {
            position = Math.multiplyExact(next, config.sequencesPerStep());
            listener.onMessage("Batches " + batch + " to " + (next - 1) + " skipped, as configured");
        }
    }

    private void react(String why) throws IOException {
        for (Reaction reaction : config.safeguards().reactions()) {
            if (!guard.mayReact()) {
                listener.onMessage("No reaction to " + why + ": the limit of " + config.safeguards().maxReactions() + " reactions has been reached");
                return;
            }
            if (reaction instanceof Reaction.Rewind rewind) {
                rewind(rewind, why);
            } else if (reaction instanceof Reaction.LearningRateBackoff backoff) {
                guard.backOff(backoff.factor());
                listener.onMessage("Learning rate times " + backoff.factor() + " (" + guard.learningRateFactor() + " in total) after " + why);
            } else if (reaction instanceof Reaction.MomentReset reset) {
                int tensors = update.resetMoments(reset.tensors());
                listener.onMessage("Moments of " + tensors + " tensors set to zero after " + why);
            }
        }
    }

    private void rewind(Reaction.Rewind rewind, String why) throws IOException {
        Path folder = output.folder().orElseThrow();
        Path checkpoint = RunCheckpoint.before(folder, step - rewind.steps(), config.checkpoints().every()).orElseThrow();
        RunState state = RunCheckpoint.state(checkpoint);
        long from = step;
        restore(checkpoint);
        guard.restoreDetectors(state.safety());
        boolean bestIsThere = RunCheckpoint.exists(folder, state.validation().bestStep());
        validation.ifPresent(v -> v.restore(bestIsThere ? state.validation() : RunValidation.State.NONE));
        step = state.step();
        tokensSeen = state.tokensSeen();
        position += (long) rewind.skipBatches() * config.sequencesPerStep();
        RunCheckpoint.removeAfter(folder, step); // a regular checkpoint of this step follows, with the new position
        listener.onMessage("Rewound from step " + from + " to " + step + " and skipped " + rewind.skipBatches() + " batches after " + why);
    }

    /**
     * Writes a checkpoint now.
     *
     * @param folder the run's folder
     * @return the checkpoint's folder
     * @throws IOException if writing fails; older checkpoints stay whole
     * @throws io.github.bts4j.core.LockedException if another attempt at the run has taken over the folder
     */
    @SuppressWarnings("try") // the lease is only held
    public Path checkpoint(Path folder) throws IOException {
        RunState state = new RunState(step, position, tokensSeen, config.seed(), identity(), data.fingerprint(),
                RunKernels.named(model.identity(), kernels), guard.state(), validation.map(RunValidation::state).orElse(RunValidation.State.NONE));
        try (Lifetime.Lease use = hold.use()) {
            return RunCheckpoint.write(folder, state, model.parameters(), update.state(), config.checkpoints(), output.fence(folder));
        }
    }

    /** {@return the number of optimizer steps done} */
    public long step() {
        return step;
    }

    /** Copies the averages into the weights, at the end of a run and before the model is saved. Does nothing if there is no average. */
    @SuppressWarnings("try") // the lease is only held
    public void adoptAverages() {
        try (Lifetime.Lease use = hold.use()) {
            update.adoptAverages();
        }
    }

    /** Releases the moments, after any step that another thread is running; that run then ends with an {@link IllegalStateException}. Closing twice does nothing. */
    @Override
    public void close() {
        hold.close(held -> {
            update.close(held);
            output.close();
        });
    }
}
