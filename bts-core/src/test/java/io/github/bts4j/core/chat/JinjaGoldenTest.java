package io.github.bts4j.core.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.ChatTemplateException;
import io.github.bts4j.core.chat.jinja.JinjaTemplate;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
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
        if (!Objects.equals(right, text)) {
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

    private static JsonNode unpacked(String name) throws IOException {
        try (InputStream in = new GZIPInputStream(Files.newInputStream(Path.of(System.getProperty("bts4j.testData")).resolve("chat").resolve(name)))) {
            return JSON.readTree(in);
        }
    }

    /** Methods, filters, tests, operators, formats, whitespace, loops, macros, scopes, refusals: some ten thousands. */
    @Test
    void expressionsAreThoseOfPython() throws IOException {
        JsonNode golden = unpacked("expressions.json.gz");
        Map<String, Object> variables = JSON.convertValue(golden.get("variables"), new TypeReference<>() { });
        List<String> differences = new ArrayList<>();
        for (JsonNode each : golden.get("cases")) {
            String right = each.size() > 1 ? each.get(1).asText() : null;
            String text;
            try {
                text = JinjaTemplate.compile(each.get(0).asText()).render(variables, Clock.systemUTC()).text();
            } catch (ChatTemplateException e) {
                text = null;
            }
            if (!Objects.equals(right, text)) {
                differences.add(each.get(0).asText() + " -> " + text + " for " + right);
            }
        }
        assertEquals(List.of(), differences);
        assertTrue(golden.get("cases").size() > 40_000, golden.get("cases").size() + " cases");
    }

    /** More than a hundred published templates by twelve conversations: the text, the assistant's part of it, or a refusal. */
    @Test
    void publishedTemplatesRenderAsInTransformers() throws IOException {
        Path folder = Path.of(System.getProperty("bts4j.templates", System.getProperty("bts4j.testData") + "/chat/templates"));
        JsonNode golden = System.getProperty("bts4j.templates") == null ? unpacked("templates.json.gz") : JSON.readTree(Files.readString(folder.resolve("answers.json")));
        Clock clock = Clock.fixed(LocalDateTime.parse(golden.get("now").asText()).toInstant(ZoneOffset.UTC), ZoneOffset.UTC);
        List<String> differences = new ArrayList<>();
        for (Map.Entry<String, JsonNode> each : golden.get("templates").properties()) {
            ChatTemplate template = ChatTemplate.jinja(Files.readString(folder.resolve(each.getKey())), Map.of("bos_token", "<s>", "eos_token", "</s>", "unk_token", "<unk>", "pad_token", "<pad>"));
            for (int i = 0; i < each.getValue().size(); i++) {
                String got = rendered(template, golden.get("conversations").get(i), clock);
                String right = each.getValue().get(i).isNull() ? null : expected(each.getValue().get(i));
                if (!Objects.equals(right, got)) {
                    differences.add(each.getKey() + " " + i + " -> " + got + " FOR " + right);
                }
            }
        }
        assertEquals(List.of(), differences);
        assertTrue(golden.get("templates").size() > 40, golden.get("templates").size() + " templates");
    }

    private static String rendered(ChatTemplate template, JsonNode conversation, Clock clock) {
        List<Map<String, Object>> messages = JSON.convertValue(conversation.get("messages"), new TypeReference<>() { });
        ChatRequest request = ChatRequest.of(messages).at(clock).withGenerationPrompt(conversation.path("add_generation_prompt").asBoolean());
        if (conversation.has("tools")) {
            request = request.withTools(JSON.convertValue(conversation.get("tools"), new TypeReference<List<Map<String, Object>>>() { }));
        }
        if (conversation.has("documents")) {
            request = request.withDocuments(JSON.convertValue(conversation.get("documents"), new TypeReference<List<Map<String, Object>>>() { }));
        }
        Map<String, Object> arguments = conversation.has("arguments") ? JSON.convertValue(conversation.get("arguments"), new TypeReference<>() { }) : Map.of();
        for (Map.Entry<String, Object> argument : arguments.entrySet()) {
            request = request.with(argument.getKey(), argument.getValue());
        }
        try {
            boolean continued = conversation.path("continue_final_message").asBoolean();
            RenderedChat chat = template.render(continued ? request.continuingFinalMessage() : request);
            return chat.text() + (continued ? List.of() : chat.assistant().stream().map(span -> chat.text().substring(span.begin(), span.end())).toList());
        } catch (IllegalArgumentException | ChatTemplateException e) {
            return null;
        }
    }

    /** The text and the assistant's parts; Python counts code points. */
    private static String expected(JsonNode answer) {
        String text = answer.get(0).asText();
        List<String> parts = new ArrayList<>();
        answer.get(1).forEach(span -> parts.add(text.substring(text.offsetByCodePoints(0, span.get(0).asInt()), text.offsetByCodePoints(0, span.get(1).asInt()))));
        return text + parts;
    }
}
