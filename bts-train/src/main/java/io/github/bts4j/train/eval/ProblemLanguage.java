package io.github.bts4j.train.eval;

import java.util.Optional;

/** The language of arithmetic problems. */
public enum ProblemLanguage {
    /** English sentences. */
    ENGLISH("en", Optional.of(ProblemFrames.ENGLISH)),
    /** Spanish sentences. */
    SPANISH("es", Optional.of(ProblemFrames.SPANISH)),
    /** German sentences. */
    GERMAN("de", Optional.of(ProblemFrames.GERMAN)),
    /** Numbers and signs alone: {@code 6 x 7 + 5 = 42 + 5 = 47}. */
    SYMBOLS("symbols", Optional.empty());

    private final String id;
    private final Optional<ProblemFrames> frames;

    ProblemLanguage(String id, Optional<ProblemFrames> frames) {
        this.id = id;
        this.frames = frames;
    }

    /**
     * The name in tasks.
     *
     * @return {@code en}, {@code es}, {@code de} or {@code symbols}
     */
    public String id() {
        return id;
    }

    /** The sentences; empty for symbols. */
    Optional<ProblemFrames> frames() {
        return frames;
    }
}
