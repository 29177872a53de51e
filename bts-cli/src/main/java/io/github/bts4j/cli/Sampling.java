package io.github.bts4j.cli;

import io.github.bts4j.core.constraint.Constraint;
import io.github.bts4j.core.generate.EndTokens;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.Penalties;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;

/** How text is generated, in a form that can be sent to other processes. The penalties are those of repetition, presence and frequency. */
record Sampling(int maxTokens, double temperature, int topK, double topP, double minP, double[] penalties, HashMap<Integer, Double> logitBias, long seed,
        ArrayList<String> stop) implements Serializable {
    /** The configuration of one prompt of several, each of which draws from its own seed. */
    GenerationConfig config(long number) {
        return new GenerationConfig(maxTokens, temperature, topK, topP, minP, new Penalties(penalties[0], penalties[1], penalties[2], logitBias), seed + number, EndTokens.OF_MODEL, stop, Constraint.NONE);
    }
}
