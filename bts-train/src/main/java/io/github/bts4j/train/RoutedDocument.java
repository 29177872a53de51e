package io.github.bts4j.train;

import io.github.bts4j.core.torch.llama.DocumentRows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A document of a batch, such as a conversation.
 *
 * @param row its row in the batch
 * @param from its first token in the row
 * @param tokens its tokens, at least two
 * @param counted whether the prediction of token t + 1 counts; one shorter than the tokens
 */
record RoutedDocument(int row, int from, int[] tokens, boolean[] counted) {
    /** The documents of which something counts; a row without numbers is one document. */
    static List<RoutedDocument> of(DocumentRows rows) {
        DocumentRows numbered = rows.numbered();
        List<RoutedDocument> documents = new ArrayList<>();
        for (int row = 0; row < numbered.documents().length; row++) {
            int[] numbers = numbered.documents()[row];
            for (int from = 0, to = 0; from < numbers.length; from = to) {
                while (to < numbers.length && numbers[to] == numbers[from]) {
                    to++;
                }
                int end = to == numbers.length ? to + 1 : to; // the row's last token has no number, and belongs to the last document
                RoutedDocument document = new RoutedDocument(row, from, Arrays.copyOfRange(numbered.tokens()[row], from, end), Arrays.copyOfRange(numbered.counted()[row], from, end - 1));
                if (document.count() > 0) {
                    documents.add(document);
                }
            }
        }
        return documents;
    }

    /** How many predictions count. */
    int count() {
        int count = 0;
        for (boolean each : counted) {
            count += each ? 1 : 0;
        }
        return count;
    }

    /** Tokens and what counts of them. */
    int[] identity() {
        int[] identity = tokens.clone();
        for (int t = 1; t < identity.length; t++) {
            identity[t] = counted[t - 1] ? identity[t] : ~identity[t];
        }
        return identity;
    }
}
