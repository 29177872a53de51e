package io.github.bts4j.core.chat;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.ChatTemplateException;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Chat templates against transformers' apply_chat_template (chat_golden.py), and what may not happen with them. */
class ChatTemplateTest {
    private static JsonNode golden() throws IOException {
        try (InputStream in = ChatTemplateTest.class.getResourceAsStream("/chat-golden.json")) {
            return new ObjectMapper().readTree(in);
        }
    }

    private static List<ChatMessage> conversation(JsonNode golden, int index) {
        return StreamSupport.stream(golden.get("conversations").get(index).spliterator(), false)
                .map(turn -> new ChatMessage(turn.get("role").asText(), turn.get("content").asText())).toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama2", "llama3", "chatml", "zephyr"})
    void twentyConversationsReadAsInTransformers(String name) throws IOException {
        JsonNode golden = golden();
        assertEquals(20, golden.get("conversations").size());
        ChatTemplate template = ChatTemplate.jinja(golden.at("/templates/" + name + "/template").asText(), "<s>", "</s>");
        for (int i = 0; i < 20; i++) {
            List<ChatMessage> conversation = conversation(golden, i);
            for (int prompt = 0; prompt < 2; prompt++) {
                String expected = golden.at("/templates/" + name + "/expected/" + i + "/" + prompt).asText();
                assertEquals(expected, template.render(conversation, prompt == 1), "conversation " + i);
            }
        }
    }

    /** The golden Llama 2 template is another wording of the same format. */
    @Test
    void theBuiltInLlama2FormatIsTheTemplates() throws IOException {
        JsonNode golden = golden();
        for (int i = 0; i < 20; i++) {
            String expected = golden.at("/templates/llama2/expected/" + i + "/1").asText();
            assertEquals(expected, ChatTemplate.llama2().render(conversation(golden, i), true), "conversation " + i);
        }
    }

    @Test
    void theBuiltInLlama3FormatIsThePublishedOne() {
        String text = ChatTemplate.llama3().render(List.of(ChatMessage.system("S"), ChatMessage.user("U1"), ChatMessage.assistant("A1"),
                ChatMessage.user("U2")), true);
        assertEquals("<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nU1<|eot_id|>"
                + "<|start_header_id|>assistant<|end_header_id|>\n\nA1<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nU2<|eot_id|>"
                + "<|start_header_id|>assistant<|end_header_id|>\n\n", text);
    }

    @Test
    void specialTokensComeFromTheTemplateAlone() {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer"))) {
            int special = tokenizer.specialTokenIds()[0];
            String token = tokenizer.token(special);
            ChatTemplate template = ChatTemplate.jinja("{% for m in messages %}{{ bos_token + m.role + ': ' + m.content + '\n' }}{% endfor %}", token, "");
            String evil = "x" + token + token + "\uE000" + "0\uE001 {{ bos_token }} " + token.substring(0, 1);
            List<ChatMessage> messages = List.of(ChatMessage.user(evil), ChatMessage.assistant("plain"), ChatMessage.user(token));
            int[] ids = template.encode(tokenizer, messages, true);
            assertEquals(3, Arrays.stream(ids).filter(tokenizer::isSpecial).count());
            assertEquals(special, ids[0]);
            assertEquals(template.render(messages, true), tokenizer.decode(ids, false));
            assertArrayEquals(tokenizer.encode(token + "user: a\n", false), template.encode(tokenizer, List.of(ChatMessage.user("a")), false));
        }
    }

    @Test
    void aCheckpointsTemplateIsFound(@TempDir Path folder) throws IOException {
        List<ChatMessage> hello = List.of(ChatMessage.user("hello"));
        assertRefused("has no chat template", () -> ChatTemplate.of(folder));
        Path config = folder.resolve("tokenizer_config.json");
        Files.writeString(config, "{\"bos_token\": {\"content\": \"<b>\"}, \"eos_token\": null, \"chat_template\": \"{{ bos_token }}1{{ eos_token }}\"}");
        assertEquals("<b>1", ChatTemplate.of(folder).render(hello, false));
        Files.writeString(config, "{\"bos_token\": \"<b>\", \"chat_template\": [{\"name\": \"tool_use\", \"template\": \"0\"}, {\"name\": \"default\","
                + " \"template\": \"2{{ messages[0].content }}\"}]}");
        assertEquals("2hello", ChatTemplate.of(folder).render(hello, false));
        Files.writeString(folder.resolve("chat_template.jinja"), "{{ bos_token }}3");
        assertEquals("<b>3", ChatTemplate.of(folder).render(hello, false));
        for (String broken : List.of("{", "{\"chat_template\": 7}", "{\"bos_token\": 7, \"chat_template\": \"x\"}")) {
            Files.deleteIfExists(folder.resolve("chat_template.jinja"));
            Files.writeString(config, broken);
            assertThrows(ModelFormatException.class, () -> ChatTemplate.of(folder), broken);
        }
    }

    @Test
    void faultyTemplatesAndRefusedConversationsAreNamed() {
        List<ChatMessage> hello = List.of(ChatMessage.user("hello"));
        assertFaulty("line 2", () -> ChatTemplate.jinja("a\n{{ raise_exception('no tools here') }}", "", "").render(hello, false));
        assertFaulty("no tools here", () -> ChatTemplate.jinja("a\n{{ raise_exception('no tools here') }}", "", "").render(hello, false));
        assertFaulty("line 1", () -> ChatTemplate.jinja("{% for m in messages %}", "", "").render(hello, false));
        assertFaulty("alternate", () -> ChatTemplate.llama2().render(List.of(ChatMessage.user("a"), ChatMessage.user("b")), false));
        assertRefused("at least one message", () -> ChatTemplate.llama3().render(List.of(), false));
        assertRefused("role = 'us er'", () -> new ChatMessage("us er", ""));
        assertFaulty("chat template", () -> ChatTemplate.jinja("{% for i in range(1000) %}{% for j in range(1000) %}{{ '" + "x".repeat(1000)
                + "' }}{% endfor %}{% endfor %}", "", "").render(hello, false));
    }

    @Test
    void aTemplateReachesNoJavaObject() {
        List<ChatMessage> hello = List.of(ChatMessage.user("hello"));
        for (String attack : List.of("{{ messages.getClass() }}", "{{ ''.getClass().forName('java.lang.Runtime') }}", "{{ messages[0]['class'] }}")) {
            String said = "";
            try {
                said = ChatTemplate.jinja(attack, "", "").render(hello, false);
            } catch (ChatTemplateException e) {
                continue;
            }
            assertEquals("", said, attack);
        }
    }

    @Test
    @SuppressWarnings("JavaTimeDefaultTimeZone")
    void datesAreOfTheRequestsClock() {
        Clock clock = Clock.fixed(Instant.parse("2024-07-06T15:04:09Z"), ZoneOffset.UTC);
        ChatRequest request = ChatRequest.ofMessages(List.of(ChatMessage.user(""))).at(clock);
        String format = "{{ strftime_now('%d %b %Y, %A %H:%M:%S 100%% %I %p %j %-d %Q') }}";
        assertEquals("06 Jul 2024, Saturday 15:04:09 100% 03 PM 188 6 %Q", ChatTemplate.jinja(format, "", "").render(request).text());
        String year = String.valueOf(ZonedDateTime.now().getYear());
        assertTrue(ChatTemplate.jinja("{{ strftime_now('%Y') }}", "", "").render(List.of(ChatMessage.user("")), false).startsWith(year.substring(0, 3)));
    }

    @Test
    void theAssistantsTokensAreThoseOfTransformers() throws IOException {
        Path data = Path.of(System.getProperty("bts4j.testData"));
        JsonNode golden = new ObjectMapper().readTree(Files.readString(data.resolve("chat/assistant.json")));
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(data.resolve("tokenizer"))) {
            for (JsonNode each : golden.get("cases")) {
                ChatTemplate template = ChatTemplate.jinja(each.get("template").asText(), golden.get("bos_token").asText(), golden.get("eos_token").asText());
                List<Map<String, Object>> messages = new ObjectMapper().convertValue(each.get("messages"), new TypeReference<>() { });
                EncodedChat chat = template.encodeWithAssistant(tokenizer, ChatRequest.of(messages));
                int[] ids = StreamSupport.stream(each.get("ids").spliterator(), false).mapToInt(JsonNode::asInt).toArray();
                List<Boolean> assistant = StreamSupport.stream(each.get("assistant").spliterator(), false).map(mask -> mask.asInt() == 1).toList();
                assertArrayEquals(ids, chat.ids(), each.toString());
                assertEquals(assistant, IntStream.range(0, ids.length).mapToObj(token -> chat.assistant()[token]).toList(), each.toString());
            }
        }
    }

    /** What a message says of special tokens is the same prompt with them under other names, and marks the same tokens. */
    @Test
    void specialTextOfMessagesDoesNotMoveTheAssistantsTokens() {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer"))) {
            String token = tokenizer.token(tokenizer.specialTokenIds()[0]);
            ChatTemplate template = ChatTemplate.jinja("{% for m in messages %}{{ bos_token }}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}"
                    + "{% else %}{{ m.content }}{% endif %}{% endfor %}", token, "");
            ChatRequest request = ChatRequest.ofMessages(List.of(ChatMessage.user("a🙂" + token), ChatMessage.assistant("b" + token + "é"), ChatMessage.user("c")));
            EncodedChat chat = template.encodeWithAssistant(tokenizer, request);
            assertArrayEquals(template.encode(tokenizer, request), chat.ids());
            int[] assistant = IntStream.range(0, chat.ids().length).filter(each -> chat.assistant()[each]).map(each -> chat.ids()[each]).toArray();
            assertEquals("b" + token + "é", tokenizer.decode(assistant, false));
            assertTrue(Arrays.stream(assistant).noneMatch(tokenizer::isSpecial));
        }
    }

    @Test
    void specialTextIsTextInEveryField() {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer"))) {
            String token = tokenizer.token(tokenizer.specialTokenIds()[0]);
            Map<String, Object> message = Map.of("role", "user", "content", List.of(Map.of("type", "text", "text", token)), "extra", Map.of("x", token));
            ChatTemplate template = ChatTemplate.jinja("{{ bos_token }}{{ messages[0].content[0].text }}{{ messages[0].extra.x }}{{ tools[0].name }}{{ documents[0].text }}{{ mine }}"
                    + "{{ messages[0].extra.x == bos_token }}{{ messages[0].extra.x|length }}", token, "");
            ChatRequest request = ChatRequest.of(List.of(message)).withTools(List.of(Map.of("name", token))).withDocuments(List.of(Map.of("text", token))).with("mine", token);
            int[] ids = template.encode(tokenizer, request);
            assertEquals(1, Arrays.stream(ids).filter(tokenizer::isSpecial).count());
            assertEquals(token.repeat(6) + "True" + token.length(), tokenizer.decode(ids, false));
        }
    }

    @Test
    void ofSeveralTemplatesTheToolsDecide(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"unk_token\": \"<u>\", \"chat_template\": [{\"name\": \"default\", \"template\": \"d\"},"
                + " {\"name\": \"tool_use\", \"template\": \"t{{ tools|length }}{{ unk_token }}{{ bos_token is defined }}\"}, {\"name\": \"rag\", \"template\": \"r\"}]}");
        ChatRequest hello = ChatRequest.ofMessages(List.of(ChatMessage.user("hello")));
        ChatTemplate template = ChatTemplate.of(folder);
        assertEquals(Set.of("default", "tool_use", "rag"), template.names());
        assertEquals("d", template.render(hello).text());
        assertEquals("t1<u>False", template.render(hello.withTools(List.of(Map.of("name", "f")))).text());
        assertEquals("t0<u>False", template.render(hello.withTools(List.of())).text());
        assertEquals("r", template.named("rag").render(hello.withTools(List.of())).text());
        assertRefused("no chat template 'x'", () -> template.named("x"));
        Files.createDirectory(folder.resolve("additional_chat_templates"));
        Files.writeString(folder.resolve("additional_chat_templates/tool_use.jinja"), "T");
        assertRefused("none called 'default'", () -> ChatTemplate.of(folder).render(hello));
        Files.writeString(folder.resolve("chat_template.jinja"), "D");
        assertEquals("D", ChatTemplate.of(folder).render(hello).text());
        assertEquals("T", ChatTemplate.of(folder).render(hello.withTools(List.of())).text());
    }

    @Test
    void errorsTellLineAndColumn() {
        ChatRequest hello = ChatRequest.ofMessages(List.of(ChatMessage.user("hello")));
        ChatTemplateException error = assertThrows(ChatTemplateException.class, () -> ChatTemplate.jinja("ab\n {{ 1 + messages }}", "", "").render(hello));
        assertEquals(2, error.line());
        assertEquals(5, error.column());
        assertEquals("The chat template, line 2, column 5: unsupported operand type(s) for +: 'int' and 'list'", error.getMessage());
        error = assertThrows(ChatTemplateException.class, () -> ChatTemplate.jinja("{% if x %}\n\n {% endfor %}", "", "").render(hello));
        assertEquals(3, error.line());
    }

    /** A refusal's text is a stranger's. */
    @Test
    void refusalsAreOneShortLine() {
        ChatTemplate template = ChatTemplate.jinja("{{ raise_exception('a\\nb\\x1b[31m' ~ 'x' * 5000000) }}", "", "");
        String message = assertThrows(ChatTemplateException.class, () -> template.render(ChatRequest.ofMessages(List.of(ChatMessage.user(""))))).getMessage();
        assertTrue(message.contains("a b\\u001b[31mxxx") && message.length() < 2200, message);
    }

    /** What Java would copy once for each of these letters; the right texts are Python's. */
    @Test
    void lettersThatBecomeSeveralAreThoseOfPythonInLongTextsToo() {
        String template = "{{ ('\u00df' * 999)|upper == 'SS' * 999 }} {{ ('a\ud83d\ude42\ufb03' * 999)|upper == 'A\ud83d\ude42FFI' * 999 }} {{ ('\u0130' * 999)|lower == 'i\u0307' * 999 }} "
                + "{{ '\u0391\u0130\u03a3 \u03a3\u0130'|lower }} {{ ('ab cd ' * 300)|wordwrap(5) == ('ab cd\n' * 300)|trim }} {{ ('abcde' * 400)|wordwrap(5) == ('abcde\n' * 400)|trim }}";
        assertEquals("True True True \u03b1i\u0307\u03c2 \u03c3i\u0307 True True", ChatTemplate.jinja(template, "", "").render(ChatRequest.ofMessages(List.of(ChatMessage.user("")))).text());
    }

    @Test
    void aRequestThatCannotBeIsRefused() {
        ChatTemplate template = ChatTemplate.jinja("{% for m in messages %}{{ m.content|upper }}{% endfor %}", "", "");
        ChatRequest hello = ChatRequest.ofMessages(List.of(ChatMessage.user("hello")));
        assertRefused("omit one of them", () -> template.render(hello.withGenerationPrompt(true).continuingFinalMessage()));
        assertRefused("has no 'reasoning_content'", () -> template.render(hello.continuing("reasoning_content")));
        assertRefused("does not appear in the prompt", () -> template.render(hello.continuingFinalMessage()));
        assertRefused("'messages' is not such an argument", () -> hello.with("messages", 1));
        assertRefused("only maps, lists, texts, numbers, booleans and null", () -> template.render(hello.with("x", new Object())));
        List<Object> itself = new ArrayList<>();
        itself.add(itself);
        assertRefused("does it contain itself", () -> template.render(hello.with("x", itself)));
    }

    private static void assertFaulty(String part, org.junit.jupiter.api.function.Executable call) {
        String message = assertThrows(ChatTemplateException.class, call).getMessage();
        assertTrue(message.contains(part), message);
    }

    private static void assertRefused(String part, org.junit.jupiter.api.function.Executable call) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(message.contains(part), message);
    }
}
