package io.github.bts4j.examples.report;

import java.util.List;

/**
 * A text with gate weights.
 *
 * @param title what the text is
 * @param models names of the models, hub first
 * @param tokens the tokens
 */
public record GateText(String title, List<String> models, List<GateToken> tokens) {}
