package io.github.bts4j.server;

import io.github.bts4j.core.TooLargeException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A request that cannot be served, with the error that the client gets. */
final class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1;
    private static final Logger LOG = LoggerFactory.getLogger(ApiException.class);

    private final int status;
    private final String code;
    private final String field;
    private final long retryAfter;

    private ApiException(int status, String code, String field, String message) {
        this(status, code, field, message, status == 429 || status == 503 ? 1 : 0);
    }

    private ApiException(int status, String code, String field, String message, long retryAfter) {
        super(message, null, false, false); // expected: no stack trace
        this.status = status;
        this.code = code;
        this.field = field;
        this.retryAfter = retryAfter;
    }

    /** A quota is used up for so many seconds. */
    static ApiException quota(String code, String message, long seconds) {
        return new ApiException(429, code, null, message, seconds);
    }

    /** The message that a client gets about a failure. An internal error is logged, and reported without details. */
    static ApiException known(Throwable failure) {
        if (failure instanceof ApiException known) {
            return known;
        }
        if (failure instanceof TooLargeException large) {
            return of(400, "too_large", large.getMessage());
        }
        LOG.error("A request failed", failure);
        return of(500, "internal_error", "Internal server error: see the server's log");
    }

    /** Something is wrong with a field. */
    static ApiException field(String field, String message) {
        return new ApiException(400, "invalid_value", field, message);
    }

    static ApiException of(int status, String code, String message) {
        return new ApiException(status, code, null, message);
    }

    /** The server accepts no more requests. */
    static ApiException shuttingDown() {
        return of(503, "shutting_down", "The server is shutting down");
    }

    static ApiException of(int status, String code, String field, String message) {
        return new ApiException(status, code, field, message);
    }

    int status() {
        return status;
    }

    String code() {
        return code;
    }

    Optional<String> field() {
        return Optional.ofNullable(field);
    }

    /** After how many seconds the same request may succeed; 0 if it will not. */
    long retryAfter() {
        return retryAfter;
    }
}
