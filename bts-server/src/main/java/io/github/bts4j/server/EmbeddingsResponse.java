package io.github.bts4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.text.Embeddings;
import io.github.bts4j.core.text.TextModel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;

/** {@code POST /v1/embeddings}: one pass for each text. Created on any thread; then used by the scheduler's. */
final class EmbeddingsResponse {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final ServedModel served;
    private final Set<String> off;
    private final List<int[]> texts;
    private final boolean base64;
    private final AnswerSink sink;
    private final float[][] found;
    private int unfinished;
    private boolean over;

    private EmbeddingsResponse(ServedModel served, Set<String> off, List<int[]> texts, boolean base64, AnswerSink sink) {
        this.served = served;
        this.off = off;
        this.texts = texts;
        this.base64 = base64;
        this.sink = sink;
        this.found = new float[texts.size()][];
        this.unfinished = texts.size();
    }

    /** Parses and validates a request. */
    static EmbeddingsResponse of(byte[] body, Terms terms, AnswerSink sink) {
        Fields fields = Fields.parse(body);
        ServedModel served = terms.served();
        ApiRequest.model(fields, served);
        List<int[]> texts = new Prompts(fields, "input", served, terms.limits()).read(0);
        String encoding = fields.text("encoding_format").orElse("float");
        if (!encoding.equals("float") && !encoding.equals("base64")) {
            throw fields.wrong("encoding_format", fields.get("encoding_format"), "float or base64");
        }
        fields.onlyNeutral("dimensions");
        fields.ignored("user");
        Set<String> off = terms.expertsOff(fields);
        fields.end();
        return new EmbeddingsResponse(served, off, texts, encoding.equals("base64"), sink);
    }

    Set<String> off() {
        return off;
    }

    int tokens() {
        return texts.stream().mapToInt(ids -> ids.length).sum();
    }

    List<OnePass> passes(long deadline) {
        List<OnePass> passes = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            passes.add(new Pass(i, deadline));
        }
        return passes;
    }

    private final class Pass extends OnePass {
        private final int index;

        Pass(int index, long deadline) {
            super(deadline);
            this.index = index;
        }

        @Override
        int length() {
            return texts.get(index).length;
        }

        @Override
        void compute() {
            if (over) {
                return; // another text has failed, which the client knows
            }
            try {
                found[index] = embedding(texts.get(index));
            } catch (UnsupportedException e) {
                throw ApiException.of(400, "unsupported_model", "model", "The model " + served.name() + " has no embeddings: " + e.getMessage());
            }
        }

        private float[] embedding(int... ids) {
            if (off.isEmpty()) {
                return Embeddings.of(served.model(), ids);
            }
            try (TextModel without = Generators.without(served.model(), off)) {
                return Embeddings.of(without, ids);
            }
        }

        @Override
        void done() {
            if (--unfinished == 0 && !over) {
                sink.whole(response());
            }
        }

        @Override
        void failed(RuntimeException failure) {
            if (!over) {
                over = true;
                sink.failed(failure);
            }
        }
    }

    private ObjectNode response() {
        ObjectNode response = JSON.objectNode().put("object", "list");
        ArrayNode data = response.putArray("data");
        for (int i = 0; i < found.length; i++) {
            data.addObject().put("object", "embedding").put("index", i).set("embedding", base64 ? base64(found[i]) : numbers(found[i]));
        }
        response.put("model", served.name());
        response.putObject("usage").put("prompt_tokens", tokens()).put("total_tokens", tokens());
        return response;
    }

    private static JsonNode numbers(float... values) {
        ArrayNode numbers = JSON.arrayNode();
        for (float value : values) {
            numbers.add(value);
        }
        return numbers;
    }

    /** As OpenAI's clients expect it: float32, the lowest byte first. */
    private static JsonNode base64(float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return JSON.textNode(Base64.getEncoder().encodeToString(bytes.array()));
    }
}
