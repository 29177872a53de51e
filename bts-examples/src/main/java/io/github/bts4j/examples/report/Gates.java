package io.github.bts4j.examples.report;

import io.github.bts4j.core.text.TextGates;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.train.data.Segment;
import io.github.bts4j.train.data.Window;
import java.util.ArrayList;
import java.util.List;

/** Which model the last stitch layer listens to, token by token (figures 2 and 3 of arXiv 2502.00075). */
public final class Gates {
    private Gates() {}

    /**
     * The gates of the last stitch along a window, averaged over the channels.
     *
     * @param title what the text is
     * @param model the model
     * @param window the text
     * @return the text with its gate weights
     */
    public static GateText along(String title, TextModel model, Window window) {
        TextGates gates = model.gates(window.unpadded());
        List<String> domains = domains(window);
        List<GateToken> tokens = new ArrayList<>();
        for (int t = 0; t < gates.tokens().size(); t++) {
            tokens.add(new GateToken(gates.tokens().get(t), gates.weights().last(t), domains.get(t)));
        }
        return new GateText(title, gates.weights().models(), tokens);
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
