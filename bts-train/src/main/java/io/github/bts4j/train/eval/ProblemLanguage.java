package io.github.bts4j.train.eval;

import java.util.Optional;

/** The language of arithmetic problems. */
public enum ProblemLanguage {
    /** English sentences. */
    ENGLISH("en", ProblemFrames.ENGLISH),
    /** Spanish sentences. */
    SPANISH("es", ProblemFrames.SPANISH),
    /** German sentences. */
    GERMAN("de", ProblemFrames.GERMAN),
    /** Numbers and signs alone: {@code 6 x 7 + 5 = 42 + 5 = 47}. */
    SYMBOLS("symbols", null);

    private final String id;
    private final ProblemFrames frames;

    ProblemLanguage(String id, ProblemFrames frames) {
        this.id = id;
        this.frames = frames;
    }

    /** {@return the name in tasks: {@code en}, {@code es}, {@code de} or {@code symbols}} */
    public String id() {
        return id;
    }

    /** The sentences; empty for symbols. */
    Optional<ProblemFrames> frames() {
        return Optional.ofNullable(frames);
    }
}
