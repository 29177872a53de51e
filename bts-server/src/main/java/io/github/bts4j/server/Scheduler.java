package io.github.bts4j.server;

import io.github.bts4j.core.generate.GeneratedToken;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.StopReason;
import io.github.bts4j.core.generate.TokenLogProb;
import io.github.bts4j.core.generate.TokenStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Continuous batching: one thread computes one token of every running sequence per pass over the weights. Sequences join and leave between steps.
 * Between two steps one part of one prompt is processed, so that a long prompt delays the others by the time of a part. A request for gates or embeddings, or for the
 * scores of a prompt, takes one pass.
 */
final class Scheduler implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Scheduler.class);

    private static final long PAUSE_MILLISECONDS = 20;
    private static final int OLDEST_FIRST = 4; // in one of so many turns

    private final Generators generators;
    private final int maxBatch;
    private final int maxQueue;
    private final ServerMetrics metrics;
    private final Deque<Work> queue = new ArrayDeque<>();
    private final List<Running> running = new ArrayList<>();
    private final Thread thread;
    private boolean closing;
    private boolean abandon;
    private int turns;
    private volatile int runningCount;

    Scheduler(Generators generators, int maxBatch, int maxQueue, ServerMetrics metrics) {
        this.generators = generators;
        this.maxBatch = maxBatch;
        this.maxQueue = maxQueue;
        this.metrics = metrics;
        this.thread = new Thread(this::run, "bts4j-scheduler");
        thread.start();
    }

    /**
     * Adds work to the waiting queue.
     *
     * @throws ApiException with status 429 if the queue has no room for all of it, with 503 if the server is closing
     */
    synchronized void submit(List<? extends Work> works) {
        if (closing) {
            throw ApiException.shuttingDown();
        }
        if (works.size() > maxQueue) {
            throw ApiException.of(400, "too_many_choices", "The request asks for " + works.size() + " choices or texts; the queue holds at most " + maxQueue + " (--max-queue)");
        }
        if (queue.size() + works.size() > maxQueue) {
            throw ApiException.of(429, "queue_full", "The server is busy: " + queue.size() + " sequences are waiting, at most " + maxQueue + " can; try again later");
        }
        queue.addAll(works);
        notifyAll();
    }

    synchronized int waiting() {
        return queue.size();
    }

    boolean isAlive() {
        return thread.isAlive();
    }

    int running() {
        return runningCount;
    }

    private void run() {
        try {
            while (awaitWork()) {
                try {
                    drop();
                    admit();
                    processPrompt();
                    step();
                    generators.keep(running.stream().map(Running::generator).toList());
                } catch (RuntimeException | Error e) { // failures of a single sequence are handled where they occur
                    failAll(List.copyOf(running), e);
                }
                runningCount = running.size();
            }
        } finally {
            abandonAll();
            generators.close();
        }
    }

    private synchronized boolean awaitWork() {
        while (queue.isEmpty() && running.isEmpty() && !closing) {
            try {
                wait();
            } catch (InterruptedException e) {
                return false;
            }
        }
        return !abandon && !(closing && queue.isEmpty() && running.isEmpty());
    }

    /** Removes what was cancelled or timed out, waiting or running. */
    private void drop() {
        running.removeIf(one -> {
            if (one.sequence().isGivenUp()) {
                giveUp(one.sequence());
                one.free();
                return true;
            }
            return false;
        });
        List<Work> dropped = new ArrayList<>();
        synchronized (this) {
            queue.removeIf(one -> one.isGivenUp() && dropped.add(one));
        }
        dropped.forEach(this::giveUp);
    }

    private void giveUp(Work one) {
        if (one.isCancelled()) {
            metrics.cancelled();
        } else {
            fail(one, ApiException.of(504, "timeout", "The response took longer than this server allows"));
        }
    }

    private void admit() {
        boolean busy = !running.isEmpty();
        while (running.size() < maxBatch) {
            Work next;
            synchronized (this) {
                next = queue.stream().filter(Work::isReady).findFirst().orElse(null);
                queue.remove(next);
            }
            if (next == null) {
                return;
            }
            begin(next);
            if (busy && takesWholePass(next)) {
                return; // a step of the others before the next one
            }
        }
    }

    private static boolean takesWholePass(Work work) {
        return !(work instanceof Sequence sequence) || sequence.wanted().scoredPrompt();
    }

    private void begin(Work next) {
        try {
            if (next.isGivenUp()) {
                giveUp(next);
            } else if (next instanceof OnePass pass) {
                run(pass);
            } else {
                begin((Sequence) next);
            }
        } catch (RuntimeException | Error e) {
            fail(next, e);
        }
    }

    private void run(OnePass pass) {
        pass.compute();
        metrics.promptTokens(pass.length());
        if (pass.isGivenUp()) {
            giveUp(pass);
        } else {
            pass.done();
        }
    }

    private void begin(Sequence next) {
        Generator generator = generators.of(next.expertsOff());
        Sequence.Wanted wanted = next.wanted();
        if (wanted.scoredPrompt()) {
            next.listener().onPrompt(next.prompt().length < 2 ? List.of() : generator.score(next.prompt(), Math.max(0, wanted.alternatives())));
        }
        if (wanted.tokens()) {
            running.add(new Running(next, wanted.gates() ? generator.beginWithGates(next.prompt(), next.config()) : generator.begin(next.prompt(), next.config()), generator));
        } else {
            metrics.promptTokens(next.prompt().length);
            next.listener().onEnd(StopReason.MAX_TOKENS);
        }
    }

    /** A part of the prompt that needs the fewest tokens, so that short prompts do not wait for long ones; now and then of the oldest, so that it is not forgotten. */
    private void processPrompt() {
        List<Running> waiting = running.stream().filter(Running::isWaitingForPrompt).toList();
        if (waiting.isEmpty()) {
            return;
        }
        turns = (turns + 1) % OLDEST_FIRST;
        Running one = turns == 0 ? waiting.get(0) : waiting.stream().min(Comparator.comparingInt(each -> each.stream().promptTokensLeft())).orElseThrow();
        attempt(one, () -> {
            if (one.stream().processPrompt()) {
                metrics.promptTokens(one.sequence().prompt().length);
                one.sequence().listener().onPromptProcessed(one.stream().reusedPromptTokens());
            }
        });
    }

    /** One token for every sequence whose client keeps up; one pass for those with the same experts. */
    private void step() {
        Map<Generator, List<Running>> together = new LinkedHashMap<>();
        running.stream().filter(one -> !one.isWaitingForPrompt() && one.sequence().isReady()).forEach(one -> together.computeIfAbsent(one.generator(), any -> new ArrayList<>()).add(one));
        if (together.isEmpty() && running.stream().noneMatch(Running::isWaitingForPrompt)) {
            pause();
        }
        together.forEach(this::step);
    }

    /** Waits a little: every running sequence is paused by its client. */
    @SuppressWarnings("WaitNotInLoop") // spurious wake-ups are harmless
    private synchronized void pause() {
        try {
            if (!abandon) {
                wait(PAUSE_MILLISECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // ends the next wait for work
        }
    }

    private void step(Generator generator, List<Running> some) {
        Map<TokenStream, Running> streams = new LinkedHashMap<>();
        Map<Running, List<TokenLogProb>> alternatives = new HashMap<>();
        some.forEach(one -> attempt(one, () -> {
            int most = one.sequence().wanted().alternatives();
            alternatives.put(one, most > 0 ? one.stream().mostLikely(most) : List.of());
            streams.put(one.stream(), one);
        }));
        Map<TokenStream, GeneratedToken> tokens;
        try {
            tokens = generator.nextEach(List.copyOf(streams.keySet()), (stream, failure) -> failAll(List.of(streams.get(stream)), failure));
        } catch (RuntimeException | Error e) { // of the pass
            failAll(List.copyOf(streams.values()), e);
            return;
        }
        metrics.pass(tokens.size());
        tokens.forEach((stream, token) -> {
            Running one = streams.get(stream);
            attempt(one, () -> publish(one, new Sequence.Step(token, alternatives.get(one), stream.gates())));
        });
    }

    /** Work for one sequence, whose failure is of this sequence alone. */
    private void attempt(Running one, Runnable work) {
        try {
            work.run();
        } catch (RuntimeException | Error e) {
            failAll(List.of(one), e);
        }
    }

    private void publish(Running one, Sequence.Step step) {
        if (step.token().index() == 0) {
            metrics.firstToken(one.sequence().secondsSinceSubmission());
        }
        Sequence.Listener listener = one.sequence().listener();
        listener.onToken(step);
        if (!one.stream().hasNext()) {
            running.remove(one);
            listener.onEnd(one.stream().result().stopReason());
        } else {
            listener.enough().ifPresent(reason -> {
                running.remove(one);
                one.free();
                listener.onEnd(reason);
            });
        }
    }

    private void failAll(List<Running> some, Throwable failure) {
        running.removeAll(some);
        some.forEach(one -> {
            fail(one.sequence(), failure);
            one.free();
        });
    }

    /** Reports a failure to one sequence. Errors too: the others are not affected. */
    private static void fail(Work one, Throwable failure) {
        try {
            if (!(failure instanceof ApiException)) {
                LOG.error("A sequence failed", failure);
            }
            one.failed(failure instanceof RuntimeException known ? known : new IllegalStateException(failure.toString()));
        } catch (RuntimeException | Error e) {
            LOG.error("The failure could not be reported to the client", e);
        }
    }

    private void abandonAll() {
        List<Work> left;
        synchronized (this) {
            closing = true;
            left = new ArrayList<>(queue);
            queue.clear();
        }
        running.forEach(one -> {
            left.add(one.sequence());
            one.free();
        });
        running.clear();
        runningCount = 0;
        left.forEach(one -> fail(one, ApiException.shuttingDown()));
    }

    /** Refuses new work and waits until everything running and waiting has finished. */
    void drain(long milliseconds) throws InterruptedException {
        synchronized (this) {
            closing = true;
            notifyAll();
        }
        thread.join(Math.max(1, milliseconds));
    }

    /** Fails what is left. */
    @Override
    public void close() {
        synchronized (this) {
            closing = true;
            abandon = true;
            notifyAll();
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
