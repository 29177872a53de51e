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
final class GateRequest extends OnePass {
    private final TextModel model;
    private final Set<String> off;
    private final int[] ids;
    private final int start;
    private final AnswerSink sink;
    private ObjectNode trace;

    private GateRequest(TextModel model, Set<String> off, int[] ids, int start, long deadline, AnswerSink sink) {
        super(deadline);
        this.model = model;
        this.off = off;
        this.ids = ids;
        this.start = start;
        this.sink = sink;
    }

    /** Parses and validates a request; the gates are computed when the scheduler runs it. */
    static GateRequest of(byte[] body, Terms terms, long deadline, AnswerSink sink) {
        ServedModel served = terms.served();
        PromptLimits limits = terms.limits();
        Fields fields = Fields.parse(body);
        ApiRequest.model(fields, served);
        TextModel model = served.model();
        if (model.experts().isEmpty()) {
            throw ApiException.of(400, "unsupported_model", "model", "The model " + served.name() + " is not a stitched model and has no gates");
        }
        int start = 0;
        int[] ids;
        if (fields.get("messages").isMissingNode()) {
            List<int[]> prompts = new Prompts(fields, "prompt", served, limits).read(0);
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
        Set<String> off = terms.expertsOff(fields);
        fields.end();
        return new GateRequest(model, off, ids, start, deadline, sink);
    }

    @Override
    int length() {
        return ids.length;
    }

    Set<String> off() {
        return off;
    }

    @Override
    void done() {
        sink.whole(trace);
    }

    @Override
    void failed(RuntimeException failure) {
        sink.failed(failure);
    }

    @Override
    void compute() {
        if (off.isEmpty()) {
            trace = json(model.gates(ids));
            return;
        }
        try (TextModel without = Generators.without(model, off)) {
            trace = json(without.gates(ids));
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
                weights.add(AnswerGates.row(token[k]));
            }
        }
        return result;
    }
}
