package io.github.bts4j.core.tokenizer;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Compares two tokenizers: models can only be compared, merged or stitched if they have the same one. */
public final class TokenizerDifference {
    /** Texts that tokenizers with the same vocabulary but different merges or splits encode differently. */
    private static final List<String> PROBES = List.of("The quick brown fox jumps over the lazy dog.", "  two  spaces\n\n\ttab", "12345 3.14 2026-01-31", "don't DON'T we'll",
            "int f(int x) { return x * x; }", "\u00fcber \u0645\u0631\u062d\u0628\u0627 \u4f60\u597d \ud83d\ude00", "<s>[INST] </s>", "antidisestablishmentarianism");

    private TokenizerDifference() {}

    /**
     * The first difference of two tokenizers: in the vocabulary, in the special tokens, or in the encoding of some texts.
     *
     * @param first a tokenizer
     * @param second another
     * @return one sentence without a full stop; empty if they are the same
     */
    public static Optional<String> between(LlamaTokenizer first, LlamaTokenizer second) {
        if (first.sha256().equals(second.sha256())) {
            return Optional.empty();
        }
        if (first.vocabSize() != second.vocabSize()) {
            return Optional.of(first.path() + " has " + first.vocabSize() + " tokens, " + second.path() + " has " + second.vocabSize());
        }
        Vocabulary ours = first.vocabulary();
        Vocabulary theirs = second.vocabulary();
        for (int id = 0; id < ours.size(); id++) {
            if (!Objects.equals(ours.token(id), theirs.token(id)) || ours.isSpecial(id) != theirs.isSpecial(id)) {
                return Optional.of("token " + id + " is " + described(ours, id) + " in " + first.path() + " and " + described(theirs, id) + " in " + second.path());
            }
        }
        return inTexts(first, second);
    }

    /** The first of some texts that is encoded as other tokens. */
    static Optional<String> inTexts(LlamaTokenizer first, LlamaTokenizer second) {
        return PROBES.stream().filter(text -> !Arrays.equals(first.encode(text, true), second.encode(text, true))).findFirst()
                .map(text -> first.path() + " and " + second.path() + " encode '" + text.strip() + "' as other tokens");
    }

    private static String described(Vocabulary vocabulary, int id) {
        return vocabulary.token(id) == null ? "no token" : "'" + vocabulary.token(id) + "'" + (vocabulary.isSpecial(id) ? " (special)" : "");
    }
}
