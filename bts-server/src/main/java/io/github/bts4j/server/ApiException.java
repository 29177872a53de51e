package io.github.bts4j.server;

import java.util.Optional;

/** A request that cannot be served, with the error that the client gets. */
final class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int status;
    private final String code;
    private final String field;

    private ApiException(int status, String code, String field, String message) {
        super(message, null, false, false); // expected: no stack trace
        this.status = status;
        this.code = code;
        this.field = field;
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
}
