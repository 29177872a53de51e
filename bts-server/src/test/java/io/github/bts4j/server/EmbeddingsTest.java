package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.text.Embeddings;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.stitch.baseline.BtmEnsemble;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Embeddings against the means of transformers' hidden states (src-test-data/tools/embeddings_golden.py). */
class EmbeddingsTest {
    private static final String EMBEDDINGS = "/v1/embeddings";

    @TempDir
    private static Path folder;

    private static TextModel model;
    private static ModelServer server;
    private static JsonNode golden;

    @BeforeAll
    static void start() throws IOException {
        Path files = Path.of(System.getProperty("bts4j.testData")).resolve("server");
        golden = TestServer.JSON.readTree(files.resolve("embeddings.json").toFile());
        model = TextModel.open(files);
        server = ModelServer.start(new ServedModel("small", model), TestServer.CONFIG);
    }

    @AfterAll
    static void stop() {
        server.close();
        model.close();
    }

    private static ObjectNode request(JsonNode input) {
        return TestServer.JSON.createObjectNode().put("model", "small").set("input", input);
    }

    private static JsonNode ask(ObjectNode request) throws IOException, InterruptedException {
        HttpResponse<String> response = TestServer.post(server, EMBEDDINGS, request.toString());
        assertEquals(200, response.statusCode(), response.body());
        return TestServer.JSON.readTree(response.body());
    }

    private static float[] floats(JsonNode numbers) {
        float[] floats = new float[numbers.size()];
        IntStream.range(0, floats.length).forEach(i -> floats[i] = numbers.get(i).floatValue());
        return floats;
    }

    private static void assertGolden(int index, JsonNode entry) {
        assertEquals("embedding", entry.get("object").asText());
        assertArrayEquals(floats(golden.get(index).get("embedding")), floats(entry.get("embedding")), 2e-6f);
    }

    @Test
    void textsAndTokens() throws IOException, InterruptedException {
        ArrayNode texts = TestServer.JSON.createArrayNode();
        ArrayNode tokens = TestServer.JSON.createArrayNode();
        int count = 0;
        for (int i = 0; i < golden.size(); i++) {
            texts.add(golden.get(i).get("text"));
            tokens.add(golden.get(i).get("ids"));
            count += golden.get(i).get("ids").size();
            assertGolden(0, ask(request(golden.get(0).get("text"))).at("/data/0"));
            assertGolden(i, ask(request(golden.get(i).get("ids"))).at("/data/0"));
            assertArrayEquals(floats(golden.get(i).get("embedding")), Embeddings.of(model, golden.get(i).get("text").asText()), 2e-6f);
        }
        for (ArrayNode input : List.of(texts, tokens)) {
            JsonNode answer = ask(request(input).put("user", "someone"));
            assertEquals("list", answer.get("object").asText());
            assertEquals("small", answer.get("model").asText());
            assertEquals(golden.size(), answer.get("data").size());
            assertEquals("{\"prompt_tokens\":" + count + ",\"total_tokens\":" + count + "}", answer.get("usage").toString());
            for (int i = 0; i < golden.size(); i++) {
                assertEquals(i, answer.at("/data/" + i + "/index").asInt());
                assertGolden(i, answer.at("/data/" + i));
            }
        }
    }

    @Test
    void base64() throws IOException, InterruptedException {
        JsonNode text = golden.get(2).get("text");
        JsonNode answer = ask(request(text).put("encoding_format", "base64"));
        ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder().decode(answer.at("/data/0/embedding").asText())).order(ByteOrder.LITTLE_ENDIAN);
        float[] floats = new float[bytes.remaining() / 4];
        bytes.asFloatBuffer().get(floats);
        assertArrayEquals(floats(ask(request(text).put("encoding_format", "float")).at("/data/0/embedding")), floats);
    }

    /** The hub's states; with all experts off, those of the seed alone. */
    @Test
    void stitchedModels() throws IOException, InterruptedException {
        try (TestServer stitched = TestServer.withRandomGates(folder, TestServer.CONFIG); TextModel seed = TextModel.open(folder.resolve("seed"))) {
            String body = "{\"model\":\"tiny\",\"input\":\"The house\"";
            float[] both = floats(stitched.ask(EMBEDDINGS, body + "}").at("/data/0/embedding"));
            float[] hub = floats(stitched.ask(EMBEDDINGS, body + ",\"experts_off\":[\"code\"]}").at("/data/0/embedding"));
            assertArrayEquals(Embeddings.of(stitched.text, "The house"), both);
            assertArrayEquals(Embeddings.of(seed, "The house"), hub, 1e-5f);
            assertFalse(Math.abs(both[0] - hub[0]) < 1e-5f && Math.abs(both[1] - hub[1]) < 1e-5f, "the expert has a part");
            double squares = IntStream.range(0, both.length).mapToDouble(i -> (double) both[i] * both[i]).sum();
            assertEquals(1, squares, 1e-6);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            "input":"A","dimensions":8               | dimensions = 8 is not supported by this server; leave it out
            "input":"A","encoding_format":"int8"     | encoding_format = "int8" must be float or base64
            "input":[]                               | input = [] must be a string, a list of token ids, or a list of 1 to 512 of either
            "input":{}                               | input = {} must be a string, a list of token ids, or a list of 1 to 512 of either
            "input":[1,100000]                       | input number 0 has the token id 100000
            "input":[[1],[-1]]                       | input number 1 has the token id -1
            "input":["A",1]                          | input = 1 must be a string or a list of strings
            "input":"A","stream":true                | The field stream is not known
            "prompt":"A"                             | input is missing: it must be a string
            """)
    void whatIsRefused(String fields, String message) throws IOException, InterruptedException {
        HttpResponse<String> response = TestServer.post(server, EMBEDDINGS, "{\"model\":\"small\"," + fields + "}");
        assertEquals(400, response.statusCode(), response.body());
        String found = TestServer.JSON.readTree(response.body()).at("/error/message").asText();
        assertEquals(message, found.substring(0, Math.min(message.length(), found.length())));
    }

    @Test
    void tooLongAndUnsupported() throws IOException, InterruptedException {
        HttpResponse<String> longOne = TestServer.post(server, EMBEDDINGS, request(TestServer.JSON.valueToTree(IntStream.generate(() -> 5).limit(65).toArray())).toString());
        assertEquals(400, longOne.statusCode());
        assertEquals("input number 0 has 65 tokens; the model's context of 64 allows 1 to 64", TestServer.JSON.readTree(longOne.body()).at("/error/message").asText());
        try (TextModel part = TextModel.open(Path.of(System.getProperty("bts4j.testData")).resolve("server"));
                BtmEnsemble ensemble = new BtmEnsemble(List.of((io.github.bts4j.core.torch.FrozenLm) part.model(), (io.github.bts4j.core.torch.FrozenLm) model.model()));
                ModelServer other = ModelServer.start(new ServedModel("small", TextModel.of(ensemble, model.tokenizer())), TestServer.CONFIG)) {
            HttpResponse<String> none = TestServer.post(other, EMBEDDINGS, "{\"model\":\"small\",\"input\":\"A\"}");
            assertEquals(400, none.statusCode(), none.body());
            assertEquals("The model small has no embeddings: This model has no hidden states of its own: open a Llama or a stitched model",
                    TestServer.JSON.readTree(none.body()).at("/error/message").asText());
        }
    }
}
