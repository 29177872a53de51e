package io.github.bts4j.core.generate;

/** Why a generation ended. */
public enum StopReason {
    /** The model gave one of {@link GenerationConfig#endTokens}. */
    EOS,
    /** The text reached one of {@link GenerationConfig#stopStrings}. */
    STOP_STRING,
    /** The text satisfies {@link GenerationConfig#constraint}, which allows nothing after it. */
    COMPLETE,
    /** The vocabulary has no token with which the text can still satisfy {@link GenerationConfig#constraint}. */
    STUCK,
    /** {@link GenerationConfig#maxNewTokens} tokens were generated. */
    MAX_TOKENS,
    /** Prompt and generated tokens fill the model's context. */
    CONTEXT_FULL,
    /** The caller asked to stop. */
    CANCELLED
}
