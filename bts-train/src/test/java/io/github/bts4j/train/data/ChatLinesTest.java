package io.github.bts4j.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.DataException;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Conversations on disk, and what of them counts. */
class ChatLinesTest {
    private static final String MESSAGES = "{\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}, {\"role\": \"assistant\", \"content\": \"Hi there\"}]}";
    private static final String PLAIN = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}";

    @TempDir
    Path folder;

    private Path file(String... lines) throws IOException {
        return Files.writeString(folder.resolve("chat.jsonl"), String.join("\n", lines));
    }

    private static LlamaTokenizer tokenizer() {
        return LlamaTokenizer.open(Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer"));
    }

    /** What counts of a conversation, as text. */
    private static String counted(LlamaTokenizer tokenizer, String template, String json) {
        List<Integer> ids = new ArrayList<>();
        for (int id : new ChatEncoder(ChatTemplate.jinja(template, "<|begin|>", "<|end|>"), tokenizer).encode(json)) {
            if (id >= 0) {
                ids.add(id);
            }
        }
        return tokenizer.decode(ids.stream().mapToInt(Integer::intValue).toArray(), false);
    }

    private String problem(String... lines) throws IOException {
        Path file = file(lines);
        return assertThrows(DataException.class, () -> {
            try (Stream<Document> documents = new ChatLines(file).documents()) {
                documents.toList();
            }
        }).getMessage();
    }

    @Test
    void rowsAreToldFromText() throws IOException {
        assertTrue(ChatLines.areIn(file(MESSAGES), "text"));
        assertTrue(ChatLines.areIn(file("", "{\"prompt\": \"a\", \"completion\": \"b\"}"), "text"));
        assertFalse(ChatLines.areIn(file("{\"text\": \"a\", \"messages\": []}"), "text"));
        assertFalse(ChatLines.areIn(file("{\"body\": \"a\", \"prompt\": \"b\"}"), "text"));
        assertFalse(ChatLines.areIn(file("[1]", "{\"messages\": 1, \"messages\": 2}"), "text")); // reading it says what is wrong
        Path packed = folder.resolve("more.jsonl.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
            out.write(MESSAGES.getBytes(StandardCharsets.UTF_8));
        }
        assertTrue(ChatLines.areIn(packed, "text"));
    }

    @Test
    void badLinesSayWhy() throws IOException {
        assertTrue(problem(MESSAGES, "{\"text\": 1}").contains("chat.jsonl:2: neither 'messages' nor 'prompt' and 'completion' (fields: text)"));
        assertTrue(problem("{\"messages\": []}").contains("field 'messages' is empty: a list of messages is needed"));
        assertTrue(problem("{\"messages\": [{\"content\": \"x\"}]}").contains("message 1 of 'messages' is no object with a 'role'"));
        assertTrue(problem("{\"messages\": [{\"role\": \"user\", \"content\": \"\\ud800\"}]}").contains("half a surrogate pair in message 1"));
        assertTrue(problem("{\"prompt\": 1, \"completion\": \"b\"}").contains("field 'prompt' is an integer: a list of messages is needed, or a text"));
        assertTrue(problem(MESSAGES.replace("{\"messages\"", "{\"tools\": \"[\", \"messages\"")).contains("field 'tools' is a text that is not JSON"));
        Path file = file(MESSAGES, "{\"messages\": []}");
        try (Stream<Document> documents = new ChatLines(file, 1).documents()) {
            assertEquals(1, documents.count());
        }
    }

    @Test
    void whatTheAssistantSaysCounts() {
        try (LlamaTokenizer tokenizer = tokenizer()) {
            assertEquals("Hi there<|end|>", counted(tokenizer, PLAIN, MESSAGES));
            assertEquals("b<|end|>", counted(tokenizer, PLAIN, "{\"prompt\": \"a\", \"completion\": \"b\"}"));
            String three = "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"one\"}, {\"role\": \"user\", \"content\": \"b\"},"
                    + "{\"role\": \"assistant\", \"content\": \"two\"}]}";
            assertEquals("one<|end|>two<|end|>", counted(tokenizer, PLAIN, three));
            String marked = "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %};{% endfor %}";
            assertEquals("onetwo", counted(tokenizer, marked, three));
            String completion = "{\"prompt\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"one\"}, {\"role\": \"user\", \"content\": \"b\"}],"
                    + " \"completion\": [{\"role\": \"assistant\", \"content\": \"two\"}]}";
            assertEquals("two", counted(tokenizer, marked, completion));
            assertEquals("two<|end|>", counted(tokenizer, PLAIN, completion));
            assertEquals("", counted(tokenizer, PLAIN, "{\"messages\": [{\"role\": \"user\", \"content\": \"alone\"}]}"));
        }
    }

    @Test
    void aTemplateThatRendersBeginningsInAnotherWayIsRefused() throws IOException {
        String last = "{% for m in messages %}[{{ m.role }}]{% if loop.last %}!{% endif %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}";
        try (LlamaTokenizer tokenizer = tokenizer()) {
            ChatEncoder encoder = new ChatEncoder(ChatTemplate.jinja(last, "", ""), tokenizer);
            String message = assertThrows(DataException.class, () -> TokenDataset.encode("d", new ChatLines(file(MESSAGES)), encoder)).getMessage();
            assertTrue(message.contains("chat.jsonl:1: The chat template does not mark what the assistant says, and it renders the prompt that asks for message 2 of 2 in another way"), message);
            assertTrue(message.endsWith("take a chat template with {% generation %} marks"), message);
            assertFalse(message.contains("\n"));
            String begun = MESSAGES.replace("user", "assistant");
            assertTrue(assertThrows(DataException.class, () -> TokenDataset.encode("d", new ChatLines(file(begun)), encoder)).getMessage().contains("begins with the assistant"));
        }
    }

    @Test
    void aCacheHoldsTheMasks() throws IOException {
        try (LlamaTokenizer tokenizer = tokenizer()) {
            ChatEncoder encoder = new ChatEncoder(ChatTemplate.jinja(PLAIN, "<|begin|>", "<|end|>"), tokenizer);
            ChatEncoder other = new ChatEncoder(ChatTemplate.jinja("x" + PLAIN, "<|begin|>", "<|end|>"), tokenizer);
            ChatLines lines = new ChatLines(file(MESSAGES, MESSAGES.replace("Hello", "Bye")));
            TokenDataset plain = TokenDataset.encode("d", lines, encoder.endingWith(2));
            TokenCache cache = TokenCache.open(folder.resolve("cache"));
            for (int i = 0; i < 2; i++) {
                TokenDataset cached = cache.dataset("d", lines, encoder, encoder.identity());
                assertEquals(plain.fingerprint(), cached.fingerprint());
                assertTrue(cached.isWholeDocuments());
                assertArrayEquals(plain.windows(100).get(1).counted(), cached.windows(100).get(1).counted());
            }
            assertFalse(encoder.identity().equals(other.identity()));
            assertEquals("<|end|>", tokenizer.token(plain.document(0)[plain.document(0).length - 1]), "no second end mark");
        }
    }
}
