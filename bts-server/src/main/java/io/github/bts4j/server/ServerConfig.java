package io.github.bts4j.server;

import io.github.bts4j.core.support.Secrets;
import java.time.Duration;
import java.util.Collection;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The settings of a server.
 *
 * @param host the address to listen on; by default the loopback address, which other machines cannot reach
 * @param port the port; 0 lets the system choose one
 * @param apiKey what clients must send as {@code Authorization: Bearer KEY}; empty for no check
 * @param limits limits of concurrency, size and memory
 * @param timeouts limits of time
 * @param allowedHosts names, besides that of the address it listens on and those of the loopback address, by which clients may call the server
 *     ({@code Host}), without ports; {@code *} for any; where it is empty and the address is not the loopback address, any
 * @param allowedOrigins the web pages of other origins that may use the server, such as {@code https://app.example}; {@code *} for any
 * @param policy keys with their experts and quotas; the key of {@code apiKey}, if there is one, may use everything
 * @param observation what is measured and logged besides
 */
public record ServerConfig(String host, int port, Optional<String> apiKey, Limits limits, Timeouts timeouts, Set<String> allowedHosts, Set<String> allowedOrigins,
        Optional<ServerPolicy> policy, Observation observation) {
    /**
     * Port 8080 of the loopback address, no key, 8 running and 512 waiting sequences, 4 MiB per request, 512 MiB for prompts' beginnings, no page of another origin.
     */
    public static final ServerConfig DEFAULT = new ServerConfig("127.0.0.1", 8080, Optional.empty(), new Limits(8, 512, 4096, 4 << 20, 512L << 20),
            new Timeouts(Duration.ofSeconds(15), Duration.ofMinutes(10), Duration.ofSeconds(30)), Set.of(), Set.of(), Optional.empty(), new Observation(false, false));

    /**
     * What is measured and logged besides the ordinary metrics.
     *
     * @param audit whether the logger {@code bts4j.audit} gets a line of JSON for each POST request
     * @param expertMetrics whether the gate weights of every answer are computed, for {@code bts4j.expert.tokens} and the audit log; of stitched models only
     */
    public record Observation(boolean audit, boolean expertMetrics) {}

    /**
     * Limits of concurrency, size and memory.
     *
     * @param maxBatch maximum number of running sequences; they share each pass over the weights, and each has a KV cache
     * @param maxQueue maximum number of waiting sequences and requests for gates; more are refused with status 429
     * @param maxTokens maximum number of new tokens per sequence
     * @param maxBodyBytes the largest request
     * @param prefixCacheBytes memory for the KV states of prompts' beginnings, see {@link io.github.bts4j.core.PrefixCache}; 0 for none
     */
    public record Limits(int maxBatch, int maxQueue, int maxTokens, int maxBodyBytes, long prefixCacheBytes) {
        /**
         * Checks the values.
         *
         * @param maxBatch maximum number of running sequences
         * @param maxQueue maximum number of waiting sequences
         * @param maxTokens maximum number of new tokens per sequence
         * @param maxBodyBytes the largest request
         * @param prefixCacheBytes memory for prompts' beginnings
         * @throws IllegalArgumentException naming the value that is out of its range
         */
        public Limits {
            require(maxBatch >= 1, "maxBatch", maxBatch, "at least 1");
            require(maxQueue >= 1, "maxQueue", maxQueue, "at least 1");
            require(maxTokens >= 1, "maxTokens", maxTokens, "at least 1");
            require(maxBodyBytes >= 1024, "maxBodyBytes", maxBodyBytes, "at least 1024");
            require(prefixCacheBytes >= 0, "prefixCacheBytes", prefixCacheBytes, "0 or more");
        }
    }

    /**
     * Limits of time.
     *
     * @param body how long a client may take to send a request, and how long it may leave a stream unread
     * @param request how long a response may take from the request's arrival, waiting included
     * @param shutdown how long running sequences may take to finish when the server closes
     */
    public record Timeouts(Duration body, Duration request, Duration shutdown) {
        /**
         * Checks the values.
         *
         * @param body how long a client may take to send a request
         * @param request how long a response may take
         * @param shutdown how long running sequences may take to finish when the server closes
         * @throws IllegalArgumentException naming the value that is out of its range
         */
        public Timeouts {
            require(body.toMillis() > 0, "bodyTimeout", body, "positive");
            require(request.toMillis() > 0, "requestTimeout", request, "positive");
            require(!shutdown.isNegative(), "shutdownTimeout", shutdown, "0 or more");
        }
    }

    /**
     * Checks the values.
     *
     * @param host the address to listen on
     * @param port the port
     * @param apiKey what clients must send
     * @param limits limits of concurrency, size and memory
     * @param timeouts limits of time
     * @param allowedHosts names by which clients may call the server
     * @param allowedOrigins web pages that may use the server
     * @param policy keys with their experts and quotas
     * @param observation what is measured and logged besides
     * @throws IllegalArgumentException naming the value that is out of its range
     */
    public ServerConfig {
        allowedHosts = lowerCase(allowedHosts);
        allowedOrigins = lowerCase(allowedOrigins);
        for (String name : allowedHosts) {
            require(name.matches("\\*|[a-z0-9._-]+|\\[[0-9a-f:.]+]"), "allowedHosts", name, "a name or address without a port, such as models.example, or *");
        }
        for (String origin : allowedOrigins) {
            require(origin.matches("\\*|null|[a-z][a-z0-9+.-]*://[^/\\s]+"), "allowedOrigins", origin, "an origin without a path, such as https://app.example, or *");
        }
        require(port >= 0 && port <= 65_535, "port", port, "between 0 and 65535");
        require(apiKey.isEmpty() || !apiKey.get().isBlank(), "apiKey", "''", "some text, or absent");
        require(apiKey.map(Secrets::fitsHeader).orElse(true), "apiKey", "(not shown)", "without spaces, line breaks and characters beyond ASCII, which clients cannot send in a header");
    }

    private static Set<String> lowerCase(Collection<String> names) {
        return names.stream().map(name -> name.strip().toLowerCase(Locale.ROOT)).collect(Collectors.toUnmodifiableSet());
    }

    private static void require(boolean holds, String name, Object value, String range) {
        if (!holds) {
            throw new IllegalArgumentException(name + " = " + value + " must be " + range);
        }
    }

    /**
     * A copy on another address.
     *
     * @param host the address; {@code 0.0.0.0} for all, together with a key
     * @param port the port, 0 for any
     * @return the copy
     */
    public ServerConfig listeningOn(String host, int port) {
        return new ServerConfig(host, port, apiKey, limits, timeouts, allowedHosts, allowedOrigins, policy, observation);
    }

    /**
     * A copy with a key.
     *
     * @param apiKey what clients must send
     * @return the copy
     */
    public ServerConfig withApiKey(String apiKey) {
        return new ServerConfig(host, port, Optional.of(apiKey), limits, timeouts, allowedHosts, allowedOrigins, policy, observation);
    }

    private ServerConfig with(Limits other) {
        return new ServerConfig(host, port, apiKey, other, timeouts, allowedHosts, allowedOrigins, policy, observation);
    }

    /**
     * A copy with other limits of concurrency.
     *
     * @param maxBatch maximum number of running sequences
     * @param maxQueue maximum number of waiting sequences
     * @return the copy
     */
    public ServerConfig withConcurrency(int maxBatch, int maxQueue) {
        return with(new Limits(maxBatch, maxQueue, limits.maxTokens, limits.maxBodyBytes, limits.prefixCacheBytes));
    }

    /**
     * A copy with other limits of size.
     *
     * @param maxTokens maximum number of new tokens per sequence
     * @param maxBodyBytes the largest request
     * @return the copy
     */
    public ServerConfig withLimits(int maxTokens, int maxBodyBytes) {
        return with(new Limits(limits.maxBatch, limits.maxQueue, maxTokens, maxBodyBytes, limits.prefixCacheBytes));
    }

    /**
     * A copy with another size of the prefix cache.
     *
     * @param bytes memory for the KV states of prompts' beginnings; 0 for none
     * @return the copy
     */
    public ServerConfig withPrefixCache(long bytes) {
        return with(new Limits(limits.maxBatch, limits.maxQueue, limits.maxTokens, limits.maxBodyBytes, bytes));
    }

    /**
     * A copy with other limits of time.
     *
     * @param body how long a client may take to send a request
     * @param request how long a response may take
     * @param shutdown how long running sequences may take to finish when the server closes
     * @return the copy
     */
    public ServerConfig withTimeouts(Duration body, Duration request, Duration shutdown) {
        return new ServerConfig(host, port, apiKey, limits, new Timeouts(body, request, shutdown), allowedHosts, allowedOrigins, policy, observation);
    }

    /**
     * A copy for other names and web pages.
     *
     * @param hosts names by which clients may call the server, besides its own; {@code *} for any
     * @param origins web pages of other origins that may use the server, such as {@code https://app.example}; {@code *} for any
     * @return the copy
     */
    public ServerConfig allowing(Collection<String> hosts, Collection<String> origins) {
        return new ServerConfig(host, port, apiKey, limits, timeouts, Set.copyOf(hosts), Set.copyOf(origins), policy, observation);
    }

    /**
     * A copy with keys for some experts and with quotas.
     *
     * @param policy who may use the server
     * @return the copy
     */
    public ServerConfig withPolicy(ServerPolicy policy) {
        return new ServerConfig(host, port, apiKey, limits, timeouts, allowedHosts, allowedOrigins, Optional.of(policy), observation);
    }

    /**
     * A copy that measures and logs more.
     *
     * @param observation what is measured and logged besides
     * @return the copy
     */
    public ServerConfig observing(Observation observation) {
        return new ServerConfig(host, port, apiKey, limits, timeouts, allowedHosts, allowedOrigins, policy, observation);
    }

    /** All values but the key. */
    @Override
    public String toString() {
        return "ServerConfig[host=" + host + ", port=" + port + ", apiKey=" + (apiKey.isPresent() ? "(set)" : "(none)") + ", limits=" + limits + ", timeouts=" + timeouts
                + ", allowedHosts=" + allowedHosts + ", allowedOrigins=" + allowedOrigins + ", policy=" + policy.map(ServerPolicy::toString).orElse("(none)") + ", observation=" + observation + "]";
    }
}
