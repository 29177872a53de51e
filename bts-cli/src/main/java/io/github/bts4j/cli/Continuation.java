package io.github.bts4j.cli;

import io.github.bts4j.core.generate.GenerationResult;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.train.cluster.Cluster;
import java.io.Serializable;

/** Continues one prompt of several, by itself, so that its text does not depend on the others: a line of JSON. */
record Continuation(Sampling sampling) implements Cluster.ModelTask<Continuation.Prompt, String> {
    /** A prompt and its number. */
    record Prompt(long number, String text) implements Serializable {}

    @Override
    public String of(TextModel model, Prompt prompt) {
        GenerationResult result = model.generate(prompt.text, sampling.config(prompt.number));
        return JsonReader.object().put("prompt", prompt.text).put("text", result.text()).put("stop_reason", result.stopReason().name()).put("prompt_tokens", result.promptTokens())
                .put("tokens", result.tokens().size()).put("log_prob", result.logProb()).toString();
    }
}
