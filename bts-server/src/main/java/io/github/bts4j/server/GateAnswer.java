package io.github.bts4j.server;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.chat.ChatRequest;
import io.github.bts4j.core.tokenizer.IncrementalDecoder;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.stitch.GateTrace;
import io.github.bts4j.stitch.Member;
import io.github.bts4j.stitch.StitchedModel;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What the gates of a stitched model let through along a text, {@code POST /bts/gates}: a prompt, or messages of which the last is the assistant's answer, to the
 * tokens and, for every Experts-into-Hub stitch, the weight of every model at every token, mean over channels.
 */
final class GateAnswer extends Work {
    private final StitchedModel model;
    private final LlamaTokenizer tokenizer;
    private final Set<String> off;
    private final int[] ids;
    private final int start;
    private final Answer.Sink sink;

    private GateAnswer(StitchedModel model, LlamaTokenizer tokenizer, Set<String> off, int[] ids, int start, long deadline, Answer.Sink sink) {
        super(deadline);
        this.model = model;
        this.tokenizer = tokenizer;
        this.off = off;
        this.ids = ids;
        this.start = start;
        this.sink = sink;
    }

    /** Understands and checks a request; its gates are traced when its turn comes. */
    static GateAnswer of(byte[] body, ServedModel served, PromptLimits limits, long deadline, Answer.Sink sink) {
        Fields fields = Fields.parse(body);
        ApiRequest.model(fields, served);
        if (!(served.model() instanceof StitchedModel model)) {
            throw ApiException.of(400, "unsupported_model", "model", "The model " + served.name() + " is not a stitched one and has no gates");
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
            if (served.chat().isEmpty() || messages.size() < 2) {
                throw ApiException.field("messages", "messages: a chat template and at least two messages are needed, the last one the answer");
            }
            try {
                ChatRequest request = ChatRequest.of(messages.subList(0, messages.size() - 1)).withGenerationPrompt(true);
                int[] before = served.chat().get().encode(served.tokenizer(), Messages.withArguments(request, fields));
                int[] answer = served.tokenizer().encodeOrdinary(String.valueOf(messages.get(messages.size() - 1).getOrDefault(Messages.CONTENT, "")));
                start = before.length;
                ids = IntStream.concat(Arrays.stream(before), Arrays.stream(answer)).toArray();
            } catch (IllegalArgumentException e) {
                throw ApiException.field("messages", "messages: " + e.getMessage());
            }
            Prompts.check(ids, 0, "messages", 0, served);
        }
        Set<String> off = ApiRequest.expertsOff(fields, served);
        fields.end();
        return new GateAnswer(model, served.tokenizer(), off, ids, start, deadline, sink);
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

    /** Computes the answer. */
    ObjectNode trace() {
        ObjectNode result = JsonNodeFactory.instance.objectNode();
        ArrayNode names = result.putArray("models");
        model.members().stream().map(Member::name).forEach(names::add);
        ArrayNode tokens = result.putArray("tokens");
        IncrementalDecoder decoder = tokenizer.incrementalDecoder(true);
        for (int id : ids) {
            tokens.add(decoder.push(id));
        }
        result.put("answer_start", start);
        int[] intoHub = IntStream.range(0, model.config().numStitches()).filter(model.config()::intoHub).toArray();
        ArrayNode stitches = result.putArray("stitches");
        try (NDManager scope = model.getNDManager().newSubManager()) {
            NDArray batch = TokenBatch.tensor(scope, new int[][] {ids}, 0, ids.length, model.vocabSize());
            for (GateTrace trace : model.gates(off, batch, intoHub)) {
                ObjectNode stitch = stitches.addObject().put("after_layer", model.config().places().get(trace.stitch()));
                ArrayNode weights = stitch.putArray("weights");
                for (float[] token : trace.meanOverChannels(0)) {
                    ArrayNode row = weights.addArray();
                    for (float weight : token) {
                        row.add(Math.round(weight * 10_000) / 10_000.0);
                    }
                }
            }
        }
        return result;
    }
}
