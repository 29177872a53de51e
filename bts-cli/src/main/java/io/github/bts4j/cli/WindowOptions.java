package io.github.bts4j.cli;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.TokenEncoder;
import io.github.bts4j.train.eval.BitsPerByte;
import io.github.bts4j.train.eval.DocumentWindows;
import io.github.bts4j.train.eval.TokenBytes;
import io.github.bts4j.train.eval.WindowScores;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/** Options for dividing text into windows for scoring. */
final class WindowOptions {
    private static final int USUAL_SEQUENCE = 256;

    @Option(names = "--sequence", paramLabel = "N", description = "Tokens per window (default: 256, or the model's context if that is shorter).")
    @Within(least = 1, most = 1_048_576)
    private Integer sequence;

    @Option(names = "--batch", paramLabel = "N", defaultValue = "4", description = "Windows per pass (default: ${DEFAULT-VALUE}).")
    @Within(least = 1, most = 65_536)
    private int batch;

    @Option(names = "--by-document", description = "Score each document separately; a document longer than --sequence is read in windows that overlap by --overlap tokens.")
    private boolean byDocument;

    @Option(names = "--overlap", paramLabel = "N", description = "With --by-document, the number of tokens at the start of a window that were scored in the window before (default: half of --sequence).")
    @Within(least = 1, most = 1_048_576)
    private Integer overlap;

    /** Scores texts, and describes how. */
    record Scorer(BitsPerByte scorer, int sequence, OptionalInt overlap, OptionalInt begin, OptionalInt end) {
        String how() {
            return overlap.isPresent() ? "each document separately, windows of " + sequence + " tokens, overlap " + overlap.getAsInt()
                    : "documents packed into windows of " + sequence + " tokens";
        }

        WindowScores score(CausalLm model, TokenDataset dataset) {
            if (overlap.isPresent() && dataset.isWholeDocuments()) {
                throw new IllegalArgumentException("--by-document: '" + dataset.name() + "' holds conversations, each of which is scored by itself without it");
            }
            return overlap.isEmpty() ? scorer.score(model, dataset.windows(sequence))
                    : scorer.byDocument(model, DocumentWindows.of(dataset, sequence, overlap.getAsInt(), begin.stream().toArray()), end.stream().toArray());
        }
    }

    Scorer scorer(CausalLm model, LlamaTokenizer tokenizer, DataOptions data) {
        if (batch < 1) {
            throw new IllegalArgumentException("--batch " + batch + " is below 1");
        }
        checkContext(model);
        int length = sequence == null ? Math.min(USUAL_SEQUENCE, model.contextLength()) : sequence;
        BitsPerByte scorer = new BitsPerByte(TokenBytes.of(tokenizer), batch);
        if (!byDocument) {
            if (overlap != null) {
                throw new IllegalArgumentException("--overlap " + overlap + " needs --by-document: packed windows do not overlap");
            }
            return new Scorer(scorer, length, OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty());
        }
        int most = overlap == null ? Math.max(1, length / 2) : overlap;
        if (most < 1 || most >= length) {
            throw new IllegalArgumentException("--overlap " + most + " is outside 1 .. " + (length - 1) + " (--sequence less 1)");
        }
        return new Scorer(scorer, length, OptionalInt.of(most), begin(tokenizer), data.endMark(tokenizer));
    }

    /** Refuses windows beyond the model's context: the model was never trained on them, but would compute results anyway. */
    void checkContext(CausalLm model) {
        check("--sequence", sequence == null ? 1 : sequence, model.contextLength());
    }

    static void check(String option, int sequence, int contextLength) {
        if (sequence < 1) {
            throw new IllegalArgumentException(option + " " + sequence + " is below 1");
        }
        if (sequence > contextLength) {
            throw new IllegalArgumentException(option + " " + sequence + " is beyond the model's context of " + contextLength + " tokens (max_position_embeddings)");
        }
    }

    /** The token before each document, so that its first token is scored; empty if the tokenizer adds a begin token. */
    private static OptionalInt begin(LlamaTokenizer tokenizer) {
        int[] some = TokenEncoder.of(tokenizer).encode("a");
        if (some.length > 0 && tokenizer.isSpecial(some[0])) {
            return OptionalInt.empty();
        }
        OptionalInt mark = tokenizer.bosTokenId().isPresent() ? tokenizer.bosTokenId() : tokenizer.eosTokenId();
        if (mark.isEmpty()) {
            throw new IllegalArgumentException("--by-document: the tokenizer has no begin or end token, so nothing predicts a document's first token");
        }
        return mark;
    }
}
