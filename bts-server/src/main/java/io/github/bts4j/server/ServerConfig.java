package io.github.bts4j.server;

import java.time.Duration;
import java.util.Optional;

/**
 * How a server behaves.
 *
 * @param host the address to listen on; by default the loopback address, which other machines do not reach
 * @param port the port; 0 lets the system choose one
 * @param apiKey what clients must send as {@code Authorization: Bearer KEY}; empty for no check
 * @param maxBatch generations in progress at once; they share each pass over the weights, and each has a KV cache
 * @param maxQueue generations, and texts whose gates are asked for, that wait; more are refused with status 429
 * @param maxTokens the most new tokens of one answer
 * @param maxBodyBytes the largest request
 * @param bodyTimeout how long a client may take to send a request
 * @param requestTimeout how long an answer may take, waiting included
 * @param shutdownTimeout how long answers in progress may go on when the server closes
 */
public record ServerConfig(String host, int port, Optional<String> apiKey, int maxBatch, int maxQueue, int maxTokens, int maxBodyBytes, Duration bodyTimeout,
        Duration requestTimeout, Duration shutdownTimeout) {
    /** Port 8080 of the loopback address, no key, 8 generations at once and 64 waiting, 4 MiB per request. */
    public static final ServerConfig DEFAULT = new ServerConfig("127.0.0.1", 8080, Optional.empty(), 8, 64, 4096, 4 << 20, Duration.ofSeconds(15),
            Duration.ofMinutes(10), Duration.ofSeconds(30));

    /**
     * Checks the values.
     *
     * @param host the address to listen on
     * @param port the port
     * @param apiKey what clients must send
     * @param maxBatch generations in progress at once
     * @param maxQueue generations that wait
     * @param maxTokens the most new tokens of one answer
     * @param maxBodyBytes the largest request
     * @param bodyTimeout how long a client may take to send a request
     * @param requestTimeout how long an answer may take
     * @param shutdownTimeout how long answers in progress may go on when the server closes
     * @throws IllegalArgumentException naming the value that is out of its range
     */
    public ServerConfig {
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

    private static void require(boolean holds, String name, Object value, String range) {
        if (!holds) {
            throw new IllegalArgumentException(name + " = " + value + " must be " + range);
        }
    }

    /**
     * The same on another address.
     *
     * @param host the address; {@code 0.0.0.0} for all, together with a key
     * @param port the port, 0 for any
     * @return a changed copy
     */
    public ServerConfig listeningOn(String host, int port) {
        return new ServerConfig(host, port, apiKey, maxBatch, maxQueue, maxTokens, maxBodyBytes, bodyTimeout, requestTimeout, shutdownTimeout);
    }

    /**
     * The same with a key.
     *
     * @param apiKey what clients must send
     * @return a changed copy
     */
    public ServerConfig withApiKey(String apiKey) {
        return new ServerConfig(host, port, Optional.of(apiKey), maxBatch, maxQueue, maxTokens, maxBodyBytes, bodyTimeout, requestTimeout, shutdownTimeout);
    }

    /**
     * The same with other limits of concurrency.
     *
     * @param maxBatch generations in progress at once
     * @param maxQueue generations that wait
     * @return a changed copy
     */
    public ServerConfig withConcurrency(int maxBatch, int maxQueue) {
        return new ServerConfig(host, port, apiKey, maxBatch, maxQueue, maxTokens, maxBodyBytes, bodyTimeout, requestTimeout, shutdownTimeout);
    }

    /**
     * The same with other limits of size.
     *
     * @param maxTokens the most new tokens of one answer
     * @param maxBodyBytes the largest request
     * @return a changed copy
     */
    public ServerConfig withLimits(int maxTokens, int maxBodyBytes) {
        return new ServerConfig(host, port, apiKey, maxBatch, maxQueue, maxTokens, maxBodyBytes, bodyTimeout, requestTimeout, shutdownTimeout);
    }

    /**
     * The same with other limits of time.
     *
     * @param bodyTimeout how long a client may take to send a request
     * @param requestTimeout how long an answer may take
     * @param shutdownTimeout how long answers in progress may go on when the server closes
     * @return a changed copy
     */
    public ServerConfig withTimeouts(Duration bodyTimeout, Duration requestTimeout, Duration shutdownTimeout) {
        return new ServerConfig(host, port, apiKey, maxBatch, maxQueue, maxTokens, maxBodyBytes, bodyTimeout, requestTimeout, shutdownTimeout);
    }
}
