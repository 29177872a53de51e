package io.github.bts4j.train.eval;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Turns continuations into tokens as lm-evaluation-harness 0.4.13 does for a causal model ({@code TemplateLM._encode_pair}): white space at the end of the
 * context moves to the text; context and whole text are encoded, both with a begin token; the scored tokens are those of the whole text after as many tokens as the context has.
 *
 * @param tokenizer the tokenizer
 * @param contextLength maximum number of tokens per sequence; the beginning of longer ones is cut off
 */
record ContinuationEncoder(LlamaTokenizer tokenizer, int contextLength) {

    EncodedContinuation encode(Continuation continuation) {
        int end = continuation.context().length();
        while (end > 0 && isSpace(continuation.context().charAt(end - 1))) {
            end--;
        }
        String context = continuation.context().substring(0, end);
        String text = continuation.context().substring(end) + continuation.text();
        return context.isEmpty() ? alone(continuation, text) : joined(continuation, context, text);
    }

    /** The characters that Python's {@code str.rstrip} removes. */
    private static boolean isSpace(char c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
    }

    private EncodedContinuation joined(Continuation continuation, String context, String text) {
        int[] before = encode(context);
        int[] whole = encode(context + text);
        return cut(continuation, before, Arrays.copyOfRange(whole, Math.min(before.length, whole.length), whole.length));
    }

    private EncodedContinuation alone(Continuation continuation, String text) {
        int[] ids = tokenizer.encode(text, false);
        int begin = begin();
        boolean begun = ids.length > 0 && ids[0] == begin;
        return cut(continuation, new int[] {begin}, begun ? Arrays.copyOfRange(ids, 1, ids.length) : ids);
    }

    private int begin() {
        OptionalInt begin = tokenizer.bosTokenId().isPresent() ? tokenizer.bosTokenId() : tokenizer.eosTokenId();
        return begin.orElseThrow(() -> new IllegalArgumentException("An empty context needs a begin token to score the first token after, and "
                + tokenizer.path() + " names neither bos_token nor eos_token: use a context that is not empty"));
    }

    private int[] encode(String text) {
        boolean begun = tokenizer.bosTokenId().isPresent() && text.startsWith(tokenizer.token(tokenizer.bosTokenId().getAsInt()));
        return tokenizer.encode(text, !begun);
    }

    private EncodedContinuation cut(Continuation continuation, int[] before, int[] scored) {
        String name = "The text '" + continuation.text() + "' after the context '" + end(continuation.context()) + "'";
        if (before.length == 0) {
            throw new IllegalArgumentException(name + " has no token before it to predict it from: the tokenizer adds no begin token, so give a longer context");
        }
        if (scored.length == 0) {
            throw new IllegalArgumentException(name + " has no tokens of its own, because its characters are merged into the context's last token: end contexts at a word boundary");
        }
        if (scored.length >= contextLength) {
            throw new IllegalArgumentException(name + " has " + scored.length + " tokens; at most " + (contextLength - 1)
                    + " can be scored (max_position_embeddings " + contextLength + "): shorten it");
        }
        int[] ids = IntStream.concat(Arrays.stream(before), Arrays.stream(scored)).toArray();
        return new EncodedContinuation(Arrays.copyOfRange(ids, Math.max(0, ids.length - contextLength), ids.length), scored.length);
    }

    private static String end(String context) {
        return context.length() <= 40 ? context : "..." + context.substring(context.length() - 40);
    }
}
