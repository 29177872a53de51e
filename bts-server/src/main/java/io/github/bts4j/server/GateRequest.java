package io.github.bts4j.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.ChatTemplateException;
import io.github.bts4j.core.GateWeights;
import io.github.bts4j.core.chat.ChatRequest;
import io.github.bts4j.core.text.TextGates;
import io.github.bts4j.core.text.TextModel;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A request for the gates of a stitched model, {@code POST /bts/gates}: a prompt, or messages of which the last is the assistant's. The response has the
 * tokens and, for each Experts-into-Hub stitch, each model's gate weight at each token, averaged over channels.
 */
final class GateRequest extends Work {
    private final TextModel model;
    private final Set<String> off;
    private final int[] ids;
    private final int start;
    private final CompletionResponse.Sink sink;

    private GateRequest(TextModel model, Set<String> off, int[] ids, int start, long deadline, CompletionResponse.Sink sink) {
        super(deadline);
        this.model = model;
        this.off = off;
        this.ids = ids;
        this.start = start;
        this.sink = sink;
    }

    /** Parses and validates a request; the gates are computed when the scheduler runs it. */
    static GateRequest of(byte[] body, ServedModel served, PromptLimits limits, long deadline, CompletionResponse.Sink sink) {
        Fields fields = Fields.parse(body);
        ApiRequest.model(fields, served);
        TextModel model = served.model();
        if (model.experts().isEmpty()) {
            throw ApiException.of(400, "unsupported_model", "model", "The model " + served.name() + " is not a stitched model and has no gates");
        }
        int start = 0;
        int[] ids;
        if (fields.get("messages").isMissingNode()) {
            List<int[]> prompts = new Prompts(fields, served, limits).read(0);
            if (prompts.size() != 1) {
                throw ApiException.field("prompt", "prompt: one text at a time");
            }
            ids = prompts.get(0);
        } else {
            List<Map<String, Object>> messages = Messages.read(fields, limits);
            if (model.chatTemplate().isEmpty() || messages.size() < 2) {
                throw ApiException.field("messages", "messages: a chat template and at least two messages are needed, the last one the answer");
            }
            try {
                ChatRequest request = ChatRequest.of(messages.subList(0, messages.size() - 1)).withGenerationPrompt(true);
                int[] before = model.chatTemplate().get().encode(model.tokenizer(), Messages.withArguments(request, fields));
                int[] answer = model.tokenizer().encodeOrdinary(String.valueOf(messages.get(messages.size() - 1).getOrDefault(Messages.CONTENT, "")));
                start = before.length;
                ids = IntStream.concat(Arrays.stream(before), Arrays.stream(answer)).toArray();
            } catch (IllegalArgumentException | ChatTemplateException e) {
                throw ApiException.field("messages", "messages: " + e.getMessage());
            }
            Prompts.check(ids, 0, "messages", 0, served);
        }
        Set<String> off = ApiRequest.expertsOff(fields, served);
        fields.end();
        return new GateRequest(model, off, ids, start, deadline, sink);
    }

    /** The text's length in tokens. */
    int length() {
        return ids.length;
    }

    void done(ObjectNode trace) {
        sink.whole(trace);
    }

    @Override
    void failed(RuntimeException failure) {
        sink.failed(failure);
    }

    /** Computes the gates. */
    ObjectNode trace() {
        if (off.isEmpty()) {
            return json(model.gates(ids));
        }
        try (TextModel without = Generators.without(model, off)) {
            return json(without.gates(ids));
        }
    }

    private ObjectNode json(TextGates gates) {
        ObjectNode result = JsonNodeFactory.instance.objectNode();
        gates.weights().models().forEach(result.putArray("models")::add);
        gates.tokens().forEach(result.putArray("tokens")::add);
        result.put("answer_start", start);
        ArrayNode stitches = result.putArray("stitches");
        List<GateWeights.GateLayer> layers = gates.weights().layers();
        for (int k = 0; k < layers.size(); k++) {
            ArrayNode weights = stitches.addObject().put("after_layer", layers.get(k).afterLayer()).putArray("weights");
            for (float[][] token : gates.weights().values()) {
                ArrayNode row = weights.addArray();
                for (float weight : token[k]) {
                    row.add(Math.round(weight * 10_000) / 10_000.0);
                }
            }
        }
        return result;
    }
}
