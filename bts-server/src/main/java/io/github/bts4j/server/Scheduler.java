package io.github.bts4j.server;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.generate.GeneratedToken;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.TokenLogProb;
import io.github.bts4j.core.generate.TokenStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Continuous batching: one thread computes for all answers in progress, a token of each per pass over the weights. Answers join and leave between two tokens;
 * a new prompt is processed by itself, one between two tokens of the others, and so is a text whose gates are asked for.
 */
final class Scheduler implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Scheduler.class);

    private static final long PAUSE_MILLISECONDS = 20;

    private final Generators generators;
    private final int maxBatch;
    private final int maxQueue;
    private final ServerMetrics metrics;
    private final Deque<Work> queue = new ArrayDeque<>();
    private final List<Active> active = new ArrayList<>();
    private final Thread thread;
    private boolean closing;
    private boolean abandon;
    private volatile int activeCount;

    /** An answer in progress. */
    private record Active(Generation generation, TokenStream stream, Generator generator) {}

    Scheduler(Generators generators, int maxBatch, int maxQueue, ServerMetrics metrics) {
        this.generators = generators;
        this.maxBatch = maxBatch;
        this.maxQueue = maxQueue;
        this.metrics = metrics;
        this.thread = new Thread(this::run, "bts4j-scheduler");
        thread.start();
    }

    /**
     * Lets work wait for its turn.
     *
     * @throws ApiException with status 429 if they do not all fit the queue, with 503 if the server is closing
     */
    synchronized void submit(List<? extends Work> works) {
        if (closing) {
            throw ApiException.shuttingDown();
        }
        if (works.size() > maxQueue) {
            throw ApiException.of(400, "too_many_answers", "The request asks for " + works.size() + " answers; " + maxQueue + " can wait at a time");
        }
        if (queue.size() + works.size() > maxQueue) {
            throw ApiException.of(429, "queue_full", "The server is busy: " + queue.size() + " answers wait, " + maxQueue + " can; try again later");
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

    int inProgress() {
        return activeCount;
    }

    private void run() {
        try {
            while (awaitWork()) {
                try {
                    drop();
                    admit();
                    step();
                } catch (RuntimeException | Error e) { // each answer's own failures are told to it alone: this is none of them
                    failAll(List.copyOf(active), e);
                }
                generators.keep(active.stream().map(Active::generator).toList());
                activeCount = active.size();
            }
        } finally {
            abandonAll();
            generators.close();
        }
    }

    private synchronized boolean awaitWork() {
        while (queue.isEmpty() && active.isEmpty() && !closing) {
            try {
                wait();
            } catch (InterruptedException e) {
                return false;
            }
        }
        return !abandon && !(closing && queue.isEmpty() && active.isEmpty());
    }

    /** Takes out what was cancelled or took too long, waiting or in progress. */
    private void drop() {
        active.removeIf(one -> {
            if (one.generation.isGivenUp()) {
                giveUp(one.generation);
                one.stream.close();
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
            fail(one, ApiException.of(504, "timeout", "The answer took longer than this server allows"));
        }
    }

    private void admit() {
        boolean busy = !active.isEmpty();
        while (active.size() < maxBatch) {
            Work next;
            synchronized (this) {
                next = queue.stream().filter(Work::isReady).findFirst().orElse(null);
                queue.remove(next);
            }
            if (next == null) {
                return;
            }
            begin(next);
            if (busy) {
                return; // the others go on before the next prompt
            }
        }
    }

    private void begin(Work next) {
        try {
            if (next.isGivenUp()) {
                giveUp(next);
            } else if (next instanceof GateAnswer gates) {
                trace(gates);
            } else {
                begin((Generation) next);
            }
        } catch (RuntimeException | Error e) {
            fail(next, e);
        }
    }

    /** One pass, as over a prompt. */
    private void trace(GateAnswer gates) {
        ObjectNode trace = gates.trace();
        metrics.promptTokens(gates.length());
        if (gates.isGivenUp()) {
            giveUp(gates);
        } else {
            gates.done(trace);
        }
    }

    private void begin(Generation next) {
        Generator generator = generators.of(next.expertsOff());
        if (next.scoresPrompt()) {
            next.listener().onPrompt(next.prompt().length < 2 ? List.of() : generator.score(next.prompt(), Math.max(0, next.alternatives())));
        }
        metrics.promptTokens(next.prompt().length);
        if (next.generates()) {
            active.add(new Active(next, generator.stream(next.prompt(), next.config()), generator));
        } else {
            next.listener().onEnd(Optional.empty());
        }
    }

    /** One token for every answer whose client keeps up: one pass for those with the same experts. */
    private void step() {
        Map<Generator, List<Active>> together = new LinkedHashMap<>();
        active.stream().filter(one -> one.generation.isReady()).forEach(one -> together.computeIfAbsent(one.generator, any -> new ArrayList<>()).add(one));
        if (together.isEmpty()) {
            pause();
        }
        together.forEach(this::step);
    }

    /** All answers in progress wait for their clients. */
    @SuppressWarnings("WaitNotInLoop") // to wake too soon does no harm
    private synchronized void pause() {
        try {
            if (!abandon) {
                wait(PAUSE_MILLISECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // ends the next wait for work
        }
    }

    private void step(Generator generator, List<Active> some) {
        List<List<TokenLogProb>> alternatives = new ArrayList<>();
        List<GeneratedToken> tokens;
        try {
            some.forEach(one -> alternatives.add(one.generation.alternatives() > 0 ? one.stream.mostLikely(one.generation.alternatives()) : List.of()));
            tokens = generator.nextEach(some.stream().map(Active::stream).toList());
        } catch (RuntimeException | Error e) {
            failAll(some, e);
            return;
        }
        metrics.pass(tokens.size());
        for (int i = 0; i < tokens.size(); i++) {
            try {
                tell(some.get(i), tokens.get(i), alternatives.get(i));
            } catch (RuntimeException | Error e) {
                failAll(List.of(some.get(i)), e);
            }
        }
    }

    private void tell(Active one, GeneratedToken token, List<TokenLogProb> alternatives) {
        if (token.index() == 0) {
            metrics.firstToken(one.generation.secondsSinceSubmission());
        }
        one.generation.listener().onToken(token, alternatives);
        if (!one.stream.hasNext()) {
            active.remove(one);
            one.generation.listener().onEnd(Optional.of(one.stream.result()));
        }
    }

    private void failAll(List<Active> some, Throwable failure) {
        active.removeAll(some);
        some.forEach(one -> {
            fail(one.generation, failure);
            try {
                one.stream.close();
            } catch (RuntimeException | Error e) {
                LOG.error("An answer's caches could not be freed", e);
            }
        });
    }

    /** Tells one answer that it failed; errors too, for the others have nothing to do with it. */
    private static void fail(Work one, Throwable failure) {
        try {
            if (!(failure instanceof ApiException)) {
                LOG.error("An answer failed", failure);
            }
            one.failed(failure instanceof RuntimeException known ? known : new IllegalStateException(failure.toString()));
        } catch (RuntimeException | Error e) {
            LOG.error("A client could not be told that its answer failed", e);
        }
    }

    private void abandonAll() {
        List<Work> left;
        synchronized (this) {
            closing = true;
            left = new ArrayList<>(queue);
            queue.clear();
        }
        active.forEach(one -> {
            left.add(one.generation);
            one.stream.close();
        });
        active.clear();
        activeCount = 0;
        left.forEach(one -> fail(one, ApiException.shuttingDown()));
    }

    /** Refuses new answers and waits for those in progress and in the queue. */
    void drain(long milliseconds) throws InterruptedException {
        synchronized (this) {
            closing = true;
            notifyAll();
        }
        thread.join(Math.max(1, milliseconds));
    }

    /** Gives up what is left. */
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
