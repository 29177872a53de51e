package io.github.bts4j.server;

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
 * @param maxBatch maximum number of running sequences; they share each pass over the weights, and each has a KV cache
 * @param maxQueue maximum number of waiting sequences and requests for gates; more are refused with status 429
 * @param maxTokens maximum number of new tokens per sequence
 * @param maxBodyBytes the largest request
 * @param bodyTimeout how long a client may take to send a request, and how long it may leave a stream unread
 * @param requestTimeout how long a response may take from the request's arrival, waiting included
 * @param shutdownTimeout how long running sequences may take to finish when the server closes
 * @param allowedHosts names, besides that of the address it listens on and those of the loopback address, by which clients may call the server
 *     ({@code Host}), without ports; {@code *} for any; where it is empty and the address is not the loopback address, any
 * @param allowedOrigins the web pages of other origins that may use the server, such as {@code https://app.example}; {@code *} for any
 */
public record ServerConfig(String host, int port, Optional<String> apiKey, int maxBatch, int maxQueue, int maxTokens, int maxBodyBytes, Duration bodyTimeout,
        Duration requestTimeout, Duration shutdownTimeout, Set<String> allowedHosts, Set<String> allowedOrigins) {
    /** Port 8080 of the loopback address, no key, 8 running and 512 waiting sequences, 4 MiB per request, no page of another origin. */
    public static final ServerConfig DEFAULT = new ServerConfig("127.0.0.1", 8080, Optional.empty(), 8, 512, 4096, 4 << 20, Duration.ofSeconds(15),
            Duration.ofMinutes(10), Duration.ofSeconds(30), Set.of(), Set.of());

    /**
     * Checks the values.
     *
     * @param host the address to listen on
     * @param port the port
     * @param apiKey what clients must send
     * @param maxBatch maximum number of running sequences
     * @param maxQueue maximum number of waiting sequences
     * @param maxTokens maximum number of new tokens per sequence
     * @param maxBodyBytes the largest request
     * @param bodyTimeout how long a client may take to send a request
     * @param requestTimeout how long a response may take
     * @param shutdownTimeout how long running sequences may take to finish when the server closes
     * @param allowedHosts names by which clients may call the server
     * @param allowedOrigins web pages that may use the server
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
        require(maxBatch >= 1, "maxBatch", maxBatch, "at least 1");
        require(maxQueue >= 1, "maxQueue", maxQueue, "at least 1");
        require(maxTokens >= 1, "maxTokens", maxTokens, "at least 1");
        require(maxBodyBytes >= 1024, "maxBodyBytes", maxBodyBytes, "at least 1024");
        require(bodyTimeout.toMillis() > 0, "bodyTimeout", bodyTimeout, "positive");
        require(requestTimeout.toMillis() > 0, "requestTimeout", requestTimeout, "positive");
        require(!shutdownTimeout.isNegative(), "shutdownTimeout", shutdownTimeout, "0 or more");
        require(apiKey.isEmpty() || !apiKey.get().isBlank(), "apiKey", "''", "some text, or absent");
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
        return new ServerConfig(host, port, apiKey, maxBatch, maxQueue, maxTokens, maxBodyBytes, bodyTimeout, requestTimeout, shutdownTimeout, allowedHosts, allowedOrigins);
    }

    /**
     * A copy with a key.
     *
     * @param apiKey what clients must send
     * @return the copy
     */
    public ServerConfig withApiKey(String apiKey) {
        return new ServerConfig(host, port, Optional.of(apiKey), maxBatch, maxQueue, maxTokens, maxBodyBytes, bodyTimeout, requestTimeout, shutdownTimeout, allowedHosts, allowedOrigins);
    }

    /**
     * A copy with other limits of concurrency.
     *
     * @param maxBatch maximum number of running sequences
     * @param maxQueue maximum number of waiting sequences
     * @return the copy
     */
    public ServerConfig withConcurrency(int maxBatch, int maxQueue) {
        return new ServerConfig(host, port, apiKey, maxBatch, maxQueue, maxTokens, maxBodyBytes, bodyTimeout, requestTimeout, shutdownTimeout, allowedHosts, allowedOrigins);
    }

    /**
     * A copy with other limits of size.
     *
     * @param maxTokens maximum number of new tokens per sequence
     * @param maxBodyBytes the largest request
     * @return the copy
     */
    public ServerConfig withLimits(int maxTokens, int maxBodyBytes) {
        return new ServerConfig(host, port, apiKey, maxBatch, maxQueue, maxTokens, maxBodyBytes, bodyTimeout, requestTimeout, shutdownTimeout, allowedHosts, allowedOrigins);
    }

    /**
     * A copy with other limits of time.
     *
     * @param bodyTimeout how long a client may take to send a request
     * @param requestTimeout how long a response may take
     * @param shutdownTimeout how long running sequences may take to finish when the server closes
     * @return the copy
     */
    public ServerConfig withTimeouts(Duration bodyTimeout, Duration requestTimeout, Duration shutdownTimeout) {
        return new ServerConfig(host, port, apiKey, maxBatch, maxQueue, maxTokens, maxBodyBytes, bodyTimeout, requestTimeout, shutdownTimeout, allowedHosts, allowedOrigins);
    }

    /**
     * A copy for other names and web pages.
     *
     * @param hosts names by which clients may call the server, besides its own; {@code *} for any
     * @param origins web pages of other origins that may use the server, such as {@code https://app.example}; {@code *} for any
     * @return the copy
     */
    public ServerConfig allowing(Collection<String> hosts, Collection<String> origins) {
        return new ServerConfig(host, port, apiKey, maxBatch, maxQueue, maxTokens, maxBodyBytes, bodyTimeout, requestTimeout, shutdownTimeout, Set.copyOf(hosts),
                Set.copyOf(origins));
    }

    /** All values but the key. */
    @Override
    public String toString() {
        return "ServerConfig[host=" + host + ", port=" + port + ", apiKey=" + (apiKey.isPresent() ? "(set)" : "(none)") + ", maxBatch=" + maxBatch + ", maxQueue=" + maxQueue
                + ", maxTokens=" + maxTokens + ", maxBodyBytes=" + maxBodyBytes + ", bodyTimeout=" + bodyTimeout + ", requestTimeout=" + requestTimeout
                + ", shutdownTimeout=" + shutdownTimeout + ", allowedHosts=" + allowedHosts + ", allowedOrigins=" + allowedOrigins + "]";
    }
}
