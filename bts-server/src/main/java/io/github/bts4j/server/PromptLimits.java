package io.github.bts4j.server;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.util.List;

/**
 * Refuses texts that cannot fit the context before they are tokenised: first by length, since no token is longer than the vocabulary's longest; then,
 * if a text is still many times longer than a context of average tokens, by the tokens of its beginning.
 */
final class PromptLimits {
    private static final int USUAL_CHARACTERS = 4; // per token, of English prose
    private static final int GROWTH = 2;

    private final LlamaTokenizer tokenizer;
    private final int context;
    private final long most;

    PromptLimits(LlamaTokenizer tokenizer, int context) {
        this.tokenizer = tokenizer;
        this.context = context;
        this.most = (long) context * tokenizer.longestToken();
    }

    /**
     * Checks the texts of one prompt.
     *
     * @param field the request's field
     * @param texts in order
     * @throws ApiException if they cannot fit the context
     */
    void check(String field, List<String> texts) {
        long length = texts.stream().mapToLong(String::length).sum();
        if (length > most) {
            throw tooLong(field, length, "at most " + most + " characters can");
        }
        if (length > (long) GROWTH * USUAL_CHARACTERS * context) {
            checkBeginning(field, texts.size() == 1 ? texts.get(0) : String.join("", texts));
        }
    }

    /** Looks for a prefix with a quarter more tokens than fit. Only its last word may be tokenised differently in the whole text. */
    private void checkBeginning(String field, String text) {
        for (long length = (long) USUAL_CHARACTERS * context; length < text.length(); length *= GROWTH) {
            int end = (int) length;
            if (Character.isHighSurrogate(text.charAt(end - 1))) {
                end--;
            }
            int tokens = tokenizer.encode(text.substring(0, end), false).length;
            if (tokens > context + context / 4 + 16) {
                throw tooLong(field, text.length(), "its first " + end + " alone are " + tokens + " tokens");
            }
        }
    }

    private ApiException tooLong(String field, long length, String why) {
        return ApiException.of(400, "context_length_exceeded", field, field + " has a text of " + length + " characters, which does not fit the model's context of " + context
                + " tokens: " + why);
    }
}
