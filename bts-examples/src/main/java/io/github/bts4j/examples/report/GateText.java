package io.github.bts4j.examples.report;

import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A text with gate weights.
 *
 * @param title what the text is
 * @param models names of the models, hub first
 * @param tokens the tokens
 */
public record GateText(String title, List<String> models, List<GateToken> tokens) {
    /**
     * The same with other names.
     *
     * @param names a display name for every model and domain
     * @return the text with these names
     */
    public GateText named(UnaryOperator<String> names) {
        return new GateText(title, models.stream().map(names).toList(),
                tokens.stream().map(token -> new GateToken(token.text(), token.weights(), names.apply(token.domain()))).toList());
    }
}
