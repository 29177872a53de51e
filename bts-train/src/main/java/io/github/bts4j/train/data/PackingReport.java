package io.github.bts4j.train.data;

import java.util.Locale;

/**
 * How whole documents, such as conversations, fill sequences.
 *
 * @param documents documents of the dataset
 * @param cut documents that are longer than a sequence and lose their end
 * @param leftOut documents without a token that the loss counts, or with none before the place where they are cut
 * @param sequences sequences of an epoch
 * @param tokens tokens of the documents in them
 * @param counted tokens that the loss counts in them
 * @param places tokens that the sequences have room for
 */
public record PackingReport(int documents, int cut, int leftOut, int sequences, long tokens, long counted, long places) {

    /**
     * {@return a text for logs, such as {@code 100 conversations in 40 sequences, 9,012 tokens, of which the loss counts 3,020; 12 %
     * padding; 3 are cut, 1 left out: no token of it counts}}
     */
    public String text() {
        return String.format(Locale.ROOT, "%,d conversations in %,d sequences, %,d tokens, of which the loss counts %,d; %.0f %% padding", documents - leftOut, sequences, tokens, counted,
                100.0 * (places - tokens) / places) + (cut == 0 ? "" : String.format(Locale.ROOT, "; %,d longer than a sequence and cut", cut))
                + (leftOut == 0 ? "" : String.format(Locale.ROOT, "; %,d more left out: no token of theirs counts", leftOut));
    }
}
