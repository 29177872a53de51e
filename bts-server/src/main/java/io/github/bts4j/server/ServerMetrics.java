package io.github.bts4j.server;

import io.github.bts4j.core.GateWeights;
import io.github.bts4j.core.PrefixCache;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntSupplier;

/** The server's metrics. */
final class ServerMetrics {
    private final MeterRegistry registry;
    private final boolean countsGates;
    private final Counter promptTokens;
    private final Counter generatedTokens;
    private final Counter cancelled;
    private final DistributionSummary batch;
    private final Timer firstToken;
    private final List<Gauge> gauges = new ArrayList<>();
    private Optional<FunctionCounter> reused = Optional.empty();

    /**
     * Registers the metrics.
     *
     * @param countsGates whether all answers have gate weights, which are counted
     */
    ServerMetrics(MeterRegistry registry, boolean countsGates) {
        this.registry = registry;
        this.countsGates = countsGates;
        promptTokens = Counter.builder("bts4j.prompt.tokens").description("Prompt tokens processed").register(registry);
        generatedTokens = Counter.builder("bts4j.generated.tokens").description("Tokens generated").register(registry);
        cancelled = Counter.builder("bts4j.cancelled").description("Sequences cancelled by their client").register(registry);
        batch = DistributionSummary.builder("bts4j.batch.size").description("Sequences per pass over the weights").register(registry);
        firstToken = Timer.builder("bts4j.first.token").description("Time from request to first token").publishPercentiles(0.5, 0.9, 0.99).register(registry);
    }

    void gauges(IntSupplier running, IntSupplier waiting, IntSupplier connections) {
        gauges.add(Gauge.builder("bts4j.running", running::getAsInt).description("Running sequences").register(registry));
        gauges.add(Gauge.builder("bts4j.waiting", waiting::getAsInt).description("Waiting sequences").register(registry));
        gauges.add(Gauge.builder("bts4j.connections", connections::getAsInt).description("Open connections").register(registry));
    }

    void prefixCache(PrefixCache cache) {
        gauges.add(Gauge.builder("bts4j.prefix.cache.bytes", cache, PrefixCache::bytes).description("Memory of the KV states of prompts' beginnings").register(registry));
        reused = Optional.of(FunctionCounter.builder("bts4j.prefix.cache.tokens", cache, PrefixCache::reusedTokens)
                .description("Prompt tokens whose KV states were taken from the prefix cache").register(registry));
    }

    /** Removes the gauges, which would otherwise keep the closed server alive and hide those of the next one. */
    void removeGauges() {
        gauges.forEach(registry::remove);
        reused.ifPresent(registry::remove);
    }

    void promptTokens(int count) {
        promptTokens.increment(count);
    }

    void pass(int tokens) {
        generatedTokens.increment(tokens);
        batch.record(tokens);
    }

    void cancelled() {
        cancelled.increment();
    }

    void firstToken(double seconds) {
        firstToken.record(Duration.ofNanos((long) (seconds * 1e9)));
    }

    void request(String endpoint, int status, double seconds) {
        Timer.builder("bts4j.requests").description("Requests, from the first byte of the request to the last of the response").tag("endpoint", endpoint)
                .tag("status", Integer.toString(status)).register(registry).record(Duration.ofNanos((long) (seconds * 1e9)));
    }

    /** A request is accepted, of a key that has a name, with these experts on. */
    void accepted(String key, List<String> experts, long promptTokens) {
        experts.forEach(name -> expert("requests", "Requests for which the expert was on", name).increment());
        keyTokens(key, "prompt", promptTokens);
    }

    void generated(String key) {
        keyTokens(key, "generated", 1);
    }

    private void keyTokens(String key, String kind, long count) {
        if (!key.isEmpty()) {
            Counter.builder("bts4j.key.tokens").description("Tokens by API key").tag("key", key).tag("kind", kind).register(registry).increment(count);
        }
    }

    void refused(String key, String code) {
        Counter.builder("bts4j.refused").description("Requests that a policy or a limit refused").tag("key", key).tag("reason", code).register(registry).increment();
    }

    /** A generated token's gates. */
    void gates(GateWeights token) {
        if (countsGates) {
            double[] shares = token.shares();
            for (int i = 0; i < shares.length; i++) {
                expert("tokens", "Generated tokens, each shared among hub and experts by its mean gate weights", token.models().get(i)).increment(shares[i]);
            }
        }
    }

    private Counter expert(String what, String description, String name) {
        return Counter.builder("bts4j.expert." + what).description(description).tag("expert", name).register(registry);
    }
}
