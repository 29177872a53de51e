package io.github.bts4j.core.tokenizer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The merges of a SentencePiece BPE model, which stores a score per piece instead: of all neighbours whose join is a piece, SentencePiece joins those
 * with the best piece first. So each way to split a piece into two pieces is a merge, and the piece's score is its rank.
 */
final class ScoreMerges {
    private static final long NORMAL = 1;
    private static final long USER_DEFINED = 4;

    private record Merge(String left, String right, double score) {
    }

    private final List<Merge> merges = new ArrayList<>();

    /**
     * Finds the merges.
     *
     * @param tokens the pieces
     * @param types their types; only normal and user-defined ones are joined
     * @param scores their scores
     */
    ScoreMerges(List<String> tokens, List<Long> types, List<Double> scores) {
        Map<String, Integer> ids = new HashMap<>();
        for (int id = 0; id < tokens.size(); id++) {
            if (types.get(id) == NORMAL || types.get(id) == USER_DEFINED) {
                ids.put(tokens.get(id), id);
            }
        }
        for (int id = 0; id < tokens.size(); id++) {
            if (types.get(id) == NORMAL) {
                splits(tokens.get(id), scores.get(id), ids);
            }
        }
        merges.sort(Comparator.comparingDouble(Merge::score).reversed());
    }

    private void splits(String piece, double score, Map<String, Integer> ids) {
        for (int at = piece.length() - 1; at > 0; at--) { // of merges with one score, the longer left part goes first
            String left = piece.substring(0, at);
            String right = piece.substring(at);
            if (ids.containsKey(left) && ids.containsKey(right)) {
                merges.add(new Merge(left, right, score));
            }
        }
    }

    /** The merges as tokenizer.json has them, best first. */
    ArrayNode merges() {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        merges.forEach(merge -> array.addArray().add(merge.left()).add(merge.right()));
        return array;
    }
}
