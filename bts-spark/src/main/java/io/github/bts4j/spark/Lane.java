package io.github.bts4j.spark;

import io.github.bts4j.core.torch.llama.DocumentRows;
import io.github.bts4j.train.Pass;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One lane of a step, as it is sent to an executor.
 *
 * @param number its number in the step, from 0
 * @param passes its passes
 */
record Lane(int number, ArrayList<SentPass> passes) implements Serializable {
    /** A pass; counted and documents are empty where every token counts. */
    record SentPass(int[][] tokens, boolean[][] counted, int[][] documents, float tokenWeight, long seed) implements Serializable {
        static SentPass of(Pass pass) {
            return new SentPass(pass.tokens(), pass.documents().map(DocumentRows::counted).orElse(new boolean[0][]), pass.documents().map(DocumentRows::documents).orElse(new int[0][]), pass.tokenWeight(),
                    pass.seed());
        }

        Pass pass() {
            return new Pass(tokens, counted.length == 0 ? Optional.empty() : Optional.of(new DocumentRows(tokens, counted, documents)), tokenWeight, seed);
        }
    }

    /** What a lane's passes give: their losses, and the gradients as bytes. */
    record Result(int number, float[][] losses, byte[] gradient) implements Serializable {}

    /** The lanes of a step. */
    static List<Lane> of(List<Pass> passes, int lanes) {
        List<Lane> all = new ArrayList<>();
        for (List<Pass> lane : Pass.lanes(passes, lanes)) {
            all.add(new Lane(all.size(), new ArrayList<>(lane.stream().map(SentPass::of).toList())));
        }
        return all;
    }
}
