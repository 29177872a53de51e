package io.github.bts4j.examples.report;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.tokenizer.IncrementalDecoder;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.stitch.GateTrace;
import io.github.bts4j.stitch.Member;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.data.Segment;
import io.github.bts4j.train.data.Window;
import java.util.ArrayList;
import java.util.List;

/** Which model the last stitch layer listens to, token by token (figures 2 and 3 of arXiv 2502.00075). Not for instances. */
public final class Gates {
    private Gates() {}

    /**
     * The gates of the last stitch along a window, averaged over the channels.
     *
     * @param title what the text is
     * @param model the model
     * @param tokenizer its tokenizer
     * @param window the text
     * @return the text with its gate weights
     */
    public static GateText along(String title, StitchedModel model, LlamaTokenizer tokenizer, Window window) {
        int last = model.config().numStitches() - 1;
        try (NDManager scope = model.getNDManager().newSubManager()) {
            NDArray ids = TokenBatch.tensor(scope, new int[][] {window.tokens()}, 0, window.tokens().length, model.vocabSize());
            GateTrace trace = model.gates(ids, last).get(0);
            List<String> names = model.members().stream().map(Member::name).toList();
            return new GateText(title, names, tokens(tokenizer, window, trace.meanOverChannels(0)));
        }
    }

    private static List<GateToken> tokens(LlamaTokenizer tokenizer, Window window, float[][] weights) {
        List<String> domains = domains(window);
        IncrementalDecoder decoder = tokenizer.incrementalDecoder(true);
        List<GateToken> tokens = new ArrayList<>();
        for (int t = 0; t < window.tokens().length; t++) {
            tokens.add(new GateToken(decoder.push(window.tokens()[t]), weights[t], domains.get(t)));
        }
        return tokens;
    }

    private static List<String> domains(Window window) {
        List<String> domains = new ArrayList<>();
        for (Segment segment : window.segments()) {
            for (int i = 0; i < segment.length(); i++) {
                domains.add(segment.dataset().name());
            }
        }
        return domains;
    }
}
