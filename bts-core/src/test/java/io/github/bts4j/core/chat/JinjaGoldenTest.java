package io.github.bts4j.core.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Templates by what transformers' own environment made of them: the same text, or a refusal where it refuses. */
class JinjaGoldenTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static JsonNode read(String name) throws IOException {
        return JSON.readTree(Files.readString(Path.of(System.getProperty("bts4j.testData")).resolve("chat").resolve(name)));
    }

    private static void compare(String template, ChatRequest request, JsonNode expected, List<String> differences) {
        String text;
        try {
            text = ChatTemplate.jinja(template, "<s>", "</s>").render(request).text();
        } catch (ChatTemplateException e) {
            text = null;
        }
        String right = expected == null ? null : expected.asText();
        if (!java.util.Objects.equals(right, text)) {
            differences.add(template + " -> " + text + " for " + right);
        }
    }

    /** 143 templates with what published ones use, by two conversations. */
    @Test
    @SuppressWarnings("unchecked")
    void whatTemplatesUseRendersAsInTransformers() throws IOException {
        JsonNode golden = read("probes.json");
        List<String> differences = new ArrayList<>();
        for (JsonNode each : golden.get("cases")) {
            List<Map<String, Object>> messages = JSON.convertValue(golden.get("conversations").get(each.get("conversation").asInt()), List.class);
            ChatRequest request = ChatRequest.of(messages).withGenerationPrompt(each.get("add_generation_prompt").asBoolean());
            compare(each.get("template").asText(), request, each.get("text"), differences);
        }
        assertEquals(List.of(), differences);
        assertEquals(572, golden.get("cases").size());
    }

    /** Every pair of values, compared in every way. */
    @Test
    void valuesCompareAsInPython() throws IOException {
        JsonNode golden = read("equality.json");
        ChatRequest request = ChatRequest.ofMessages(List.of(ChatMessage.user("")));
        List<String> differences = new ArrayList<>();
        golden.forEach(each -> compare(each.get("template").asText(), request, each.get("expected"), differences));
        assertEquals(List.of(), differences);
        assertEquals(3574, golden.size());
    }
}
