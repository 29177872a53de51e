package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.PrefixCache;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Long prompts beside other sequences, and prompts that begin alike. */
class PromptsTest {
    private static final String COMPLETIONS = "/v1/completions";
    private static final int BLOCK = PrefixCache.BLOCK;

    @TempDir
    private Path folder;

    private static String ids(long seed, int count) {
        return new SplittableRandom(seed).ints(count, 3, 2048).mapToObj(Integer::toString).collect(Collectors.joining(",", "[", "]"));
    }

    private static String body(String prompt, String options) {
        return "{\"model\":\"tiny\",\"prompt\":" + prompt + ",\"temperature\":0," + options + "}";
    }

    /** Each part of a prompt of 7 blocks is followed by a token of the sequence that was running. */
    @Test
    void aLongPromptLetsOthersGoOn() throws IOException, InterruptedException {
        try (TestServer server = TestServer.withoutEndToken(folder, TestServer.CONFIG)) {
            Unread stream = new Unread(server.server, COMPLETIONS, body("\"A\"", "\"max_tokens\":1500,\"stream\":true"));
            while (server.metric("bts4j_generated_tokens_total") < 1) {
                Thread.sleep(5);
            }
            double before = server.metric("bts4j_generated_tokens_total");
            server.ask(COMPLETIONS, body(ids(1, 7 * BLOCK), "\"max_tokens\":1"));
            double others = server.metric("bts4j_generated_tokens_total") - before - 1;
            assertTrue(others >= 6, others + " tokens of the other sequence");
            stream.close();
        }
    }

    /** Two prompts of one request: the answer to the short one begins first, though the long one came first. */
    @Test
    void shortPromptsDoNotWaitForLongOnes() throws IOException, InterruptedException {
        try (TestServer server = TestServer.withoutEndToken(folder, TestServer.CONFIG)) {
            String events = server.post(COMPLETIONS, body("[" + ids(1, 7 * BLOCK) + "," + ids(2, 20) + "]", "\"max_tokens\":1,\"stream\":true")).body();
            List<Integer> order = Arrays.stream(events.split("\n")).filter(line -> line.contains("\"index\":")).map(line -> line.contains("\"index\":1") ? 1 : 0).distinct().toList();
            assertEquals(List.of(1, 0), order, events);
        }
    }

    @Test
    void promptsThatBeginAlike() throws IOException, InterruptedException {
        String system = ids(1, 5 * BLOCK + 60);
        try (TestServer server = TestServer.withoutEndToken(folder, TestServer.CONFIG)) {
            List<String> prompts = IntStream.range(0, 4).mapToObj(i -> system.replace("]", "," + ids(10 + i, 30).substring(1))).toList();
            for (String off : List.of("", ",\"experts_off\":[\"code\"]")) {
                double reused = server.metric("bts4j_prefix_cache_tokens_total");
                for (int i = 0; i < prompts.size(); i++) {
                    JsonNode answer = server.ask(COMPLETIONS, body(prompts.get(i), "\"max_tokens\":12" + off));
                    assertEquals(i == 0 ? 0 : 5 * BLOCK, answer.at("/usage/prompt_tokens_details/cached_tokens").asInt());
                    assertEquals(5 * BLOCK + 90, answer.at("/usage/prompt_tokens").asInt());
                }
                assertEquals(reused + 3 * 5 * BLOCK, server.metric("bts4j_prefix_cache_tokens_total"));
            }
            assertTrue(server.metric("bts4j_prefix_cache_bytes") > 0);
            try (TestServer without = TestServer.withoutEndToken(folder.resolve("without"), TestServer.CONFIG.withPrefixCache(0))) {
                for (String prompt : prompts) {
                    String body = body(prompt, "\"max_tokens\":12,\"logprobs\":2");
                    assertEquals(without.ask(COMPLETIONS, body).at("/choices/0"), server.ask(COMPLETIONS, body).at("/choices/0"), "the same numbers with the cache and without");
                    assertEquals(0, without.ask(COMPLETIONS, body).at("/usage/prompt_tokens_details/cached_tokens").asInt());
                }
            }
        }
    }
}
