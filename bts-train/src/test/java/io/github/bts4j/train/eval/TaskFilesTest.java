package io.github.bts4j.train.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tasks as JSON lines. */
class TaskFilesTest {
    @TempDir
    private Path folder;

    private Path file(String content) throws IOException {
        return Files.writeString(folder.resolve("items.jsonl"), content);
    }

    @Test
    void tasksAreReadAsWritten() throws Exception {
        ChoiceTask choices = new ChoiceTask("c", List.of(new ChoiceItem("a \"b\"\n\u2028", List.of(" x", " ñ🙂"), 1), new ChoiceItem("", List.of("1", "2", "3"), 0)));
        Path file = folder.resolve("choices.jsonl");
        choices.write(file);
        assertEquals(choices, ChoiceTask.read("c", file));
        assertEquals(choices.identity(), ChoiceTask.read("d", file).identity(), "the name does not matter");
        assertNotEquals(choices.identity(), new ChoiceTask("c", choices.items().subList(0, 1)).identity());
        ClozeTask cloze = new ClozeTask("z", List.of(new ClozeItem("Ein", " Wort"), new ClozeItem("", "x")));
        cloze.write(file);
        assertEquals(cloze, ClozeTask.read("z", file));
    }

    @Test
    void otherFieldsAndBlankLinesArePassedOver() throws Exception {
        Path file = file("\n{\"id\": 7, \"context\": \"q\", \"choices\": [\"a\", \"b\"], \"answer\": 1}\r\n\n");
        assertEquals(List.of(new ChoiceItem("q", List.of("a", "b"), 1)), ChoiceTask.read("t", file).items());
    }

    @Test
    void badLinesAreNamed() throws Exception {
        assertBad(":1: no field 'context' (fields: text)", "{\"text\": \"a\"}");
        assertBad(":2: not valid JSON", "\n{\"context\": ");
        assertBad(":1: field 'choices' is a string", "{\"context\": \"a\", \"choices\": \"b\", \"answer\": 0}");
        assertBad("field 'choices' holds an integer", "{\"context\": \"a\", \"choices\": [1], \"answer\": 0}");
        assertBad("field 'answer' is \"0\"", "{\"context\": \"a\", \"choices\": [\"b\", \"c\"], \"answer\": \"0\"}");
        assertBad("answer = 2 is not between 0 and 1", "{\"context\": \"a\", \"choices\": [\"b\", \"c\"], \"answer\": 2}");
        assertBad("is among the wrong ones too", "{\"context\": \"a\", \"choices\": [\"b\", \"b\"], \"answer\": 0}");
        assertBad("1 choices; at least 2 are required; choice 0 is empty", "{\"context\": \"a\", \"choices\": [\"\"], \"answer\": 0}");
        assertBad(" has no items: it needs one JSON object per line", "");
        Files.write(folder.resolve("items.jsonl"), new byte[] {'{', (byte) 0xC3});
        assertTrue(assertThrows(DataException.class, () -> ClozeTask.read("t", folder.resolve("items.jsonl"))).getMessage().contains("items.jsonl is not UTF-8"));
        Harness.assertRefused("blank", () -> new ClozeTask(" ", List.of(new ClozeItem("a", "b"))));
        Harness.assertRefused("empty target", () -> new ClozeItem("a", ""));
    }

    private void assertBad(String part, String content) throws IOException {
        Path file = file(content);
        String message = assertThrows(DataException.class, () -> ChoiceTask.read("t", file)).getMessage();
        assertTrue(message.contains(part) && message.startsWith(file.toString()), message);
    }
}
