package io.github.bts4j.train.data;

/** A row that is no document. */
final class BadRowException extends Exception {
    private static final long serialVersionUID = 1L;

    /** reason: what is wrong, without where. */
    BadRowException(String reason) {
        super(reason);
    }
}
