package io.github.bts4j.core.support;

/** Tokens and API keys, which travel in the HTTP header {@code Authorization}. */
public final class Secrets {
    private Secrets() {
    }

    /**
     * Whether a header can carry a secret.
     *
     * @param secret the secret
     * @return true if it consists of visible ASCII characters, without spaces and line breaks
     */
    public static boolean fitsHeader(String secret) {
        return secret.chars().allMatch(c -> c > ' ' && c < 127);
    }
}
