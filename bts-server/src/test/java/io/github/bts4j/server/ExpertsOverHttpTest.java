package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.torch.FrozenLm;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a server does with the parts of a stitched model: experts that are left out, gates along a text. */
class ExpertsOverHttpTest {
    @TempDir
    private static Path folder;

    private static TestServer server;

    @BeforeAll
    static void start() throws IOException {
        server = new TestServer(folder, TestServer.CONFIG);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    /** Requests with and without experts, in progress together. */
    @Test
    void expertsAreSwitchedOffForARequest() throws IOException, InterruptedException {
        int[] prompt = server.tokenizer.encode("It is a truth", true);
        String alone;
        try (FrozenLm hub = server.model.without(Set.of("code")); TokenStream stream = new Generator(hub, server.tokenizer).stream(prompt, GenerationConfig.greedy(30).withEndTokens(server.text.endTokens()))) {
            while (stream.hasNext()) {
                stream.next();
            }
            alone = stream.result().text();
        }
        String whole = server.generated(prompt, GenerationConfig.greedy(30)).text();
        assertNotEquals(whole, alone);
        String body = "{\"model\":\"tiny\",\"prompt\":\"It is a truth\",\"max_tokens\":30,\"temperature\":0%s}";
        List<CompletableFuture<HttpResponse<String>>> both = IntStream.range(0, 6).mapToObj(i -> server.client.sendAsync(
                server.request("/v1/completions", String.format(body, i % 2 == 0 ? "" : ",\"experts_off\":[\"code\"]")), HttpResponse.BodyHandlers.ofString())).toList();
        for (int i = 0; i < both.size(); i++) {
            assertEquals(i % 2 == 0 ? whole : alone, TestServer.JSON.readTree(both.get(i).join().body()).at("/choices/0/text").asText());
        }
    }

    @Test
    void gatesAlongAText() throws IOException, InterruptedException {
        String text = "public static boolean";
        JsonNode answer = server.ask("/bts/gates", "{\"model\":\"tiny\",\"prompt\":\"" + text + "\"}");
        int[] ids = server.tokenizer.encode(text, true);
        assertEquals("[\"hub\",\"code\"]", answer.get("models").toString());
        assertEquals(ids.length, answer.get("tokens").size());
        StringBuilder joined = new StringBuilder();
        answer.get("tokens").forEach(token -> joined.append(token.asText()));
        assertEquals(text, joined.toString().strip());
        assertEquals(1, answer.get("stitches").size());
        assertEquals(4, answer.at("/stitches/0/after_layer").asInt());
        try (NDManager scope = server.model.getNDManager().newSubManager()) {
            float[][] expected = server.model.gates(TokenBatch.tensor(scope, new int[][] {ids}, 0, ids.length, 2048), 1).get(0).meanOverChannels(0);
            for (int t = 0; t < ids.length; t++) {
                for (int i = 0; i < 2; i++) {
                    assertEquals(expected[t][i], answer.at("/stitches/0/weights/" + t + "/" + i).asDouble(), 0.5e-4 + server.tolerance(ids.length).of(1)); // four digits
                }
            }
        }
        JsonNode chat = server.ask("/bts/gates", "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"},{\"role\":\"assistant\",\"content\":\"Good day\"}]}");
        int start = chat.get("answer_start").asInt();
        StringBuilder said = new StringBuilder();
        for (int t = start; t < chat.get("tokens").size(); t++) {
            said.append(chat.get("tokens").get(t).asText());
        }
        assertEquals("Good day", said.toString().strip());
        assertEquals(400, server.post("/bts/gates", "{\"model\":\"tiny\",\"prompt\":[\"a\",\"b\"]}").statusCode());
    }

    /** As in a chat: what the template writes stands before the answer. */
    @Test
    void whatATemplateIsGivenReachesTheGatesToo() throws IOException, InterruptedException {
        ChatTemplate template = ChatTemplate.jinja("{% for m in messages %}{{ m.content }}{{ m.mood }}{% endfor %}{% for d in documents or [] %}{{ d.text }}{% endfor %}{{ extra }}", "<s>", "</s>");
        try (ModelServer own = ModelServer.start(new ServedModel("tiny", server.text.withChatTemplate(template)), TestServer.CONFIG)) {
            JsonNode gates = TestServer.JSON.readTree(TestServer.post(own, "/bts/gates", "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"so\",\"mood\":\"well\"},"
                    + "{\"role\":\"assistant\",\"content\":\"Good day\"}],\"documents\":[{\"text\":\"man\"}],\"chat_template_kwargs\":{\"extra\":\"views\"}}").body());
            assertEquals(server.tokenizer.encode("sowellmanviews", false).length, gates.get("answer_start").asInt(), gates.toString());
        }
    }
}
