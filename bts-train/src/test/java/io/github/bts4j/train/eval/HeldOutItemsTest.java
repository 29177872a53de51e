package io.github.bts4j.train.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.data.Document;
import io.github.bts4j.train.data.TextSource;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Items out of the bundled corpus. */
class HeldOutItemsTest {
    private static List<Document> corpus(String name) {
        Path file = Path.of(System.getProperty("bts4j.testData")).getParent().resolve("bts-examples/src/main/resources/io/github/bts4j/examples/corpus/" + name + ".jsonl");
        try (Stream<Document> documents = TextSource.jsonLines(file).documents()) {
            return documents.toList();
        }
    }

    private static boolean holds(List<Document> documents, String text) {
        return documents.stream().anyMatch(document -> document.text().contains(text));
    }

    @Test
    void choicesAreAsLongAsTheRightOneAndComeFromElsewhere() {
        for (String name : List.of("english", "lang2", "code", "math")) {
            List<Document> documents = corpus(name);
            ChoiceTask task = new HeldOutItems(documents, 7).choices(name, 100, 200, 40);
            assertEquals(100, new HashSet<>(task.items()).size());
            for (ChoiceItem item : task.items()) {
                assertTrue(holds(documents, item.context() + item.right()), item.toString());
                assertEquals(4, new HashSet<>(item.choices()).size());
                assertTrue(item.context().length() <= 200 && !item.context().isEmpty());
                for (String choice : item.choices()) {
                    assertEquals(40, choice.length());
                    assertEquals(item.right().charAt(0), choice.charAt(0));
                    assertTrue(holds(documents, choice), choice);
                    assertTrue(choice.equals(item.right()) || !holds(documents, item.context() + choice), item.toString());
                }
            }
            assertEquals(task, new HeldOutItems(documents, 7).choices(name, 100, 200, 40));
            assertNotEquals(task, new HeldOutItems(documents, 8).choices(name, 100, 200, 40));
            int[] places = new int[4];
            task.items().forEach(item -> places[item.answer()]++);
            assertTrue(java.util.Arrays.stream(places).allMatch(place -> place > 10), "the right one may stand anywhere");
        }
    }

    @Test
    void clozeTargetsAreLastWords() {
        List<Document> documents = corpus("english");
        ClozeTask task = new HeldOutItems(documents, 7).cloze("english", 200, 50, 150);
        for (ClozeItem item : task.items()) {
            assertTrue(item.target().matches(" \\p{L}+"), item.toString());
            assertTrue(item.context().length() >= 50 && item.context().length() <= 150, item.toString());
            assertTrue(Stream.of(".", "!", "?", "…", "\n", "\r").anyMatch(end -> holds(documents, item.context() + item.target() + end)), item.toString());
            assertFalse(List.of(" Mr", " Mrs").contains(item.target()));
        }
        assertEquals(task, new HeldOutItems(documents, 7).cloze("english", 200, 50, 150));
    }

    @Test
    void methodsParseWithTheirOwnBodies() {
        List<Document> documents = corpus("code");
        MethodTask task = new HeldOutItems(documents, 7).methods("code", 25, 600, 100);
        for (MethodItem item : task.items()) {
            assertTrue(item.prompt().length() <= 600);
            Document source = documents.stream().filter(document -> document.text().contains(item.prompt())).findFirst().orElseThrow();
            String rest = source.text().substring(source.text().indexOf(item.prompt()) + item.prompt().length());
            assertTrue(MethodTask.parses(item, rest), item.header());
        }
        assertEquals(task, new HeldOutItems(documents, 7).methods("code", 25, 600, 100));
    }

    /** No border between context and choice joins tokens: the bundled vocabulary can score every item. */
    @Test
    void everyItemCanBeScored() throws Exception {
        try (LlamaTokenizer tokenizer = Harness.tokenizer()) {
            ContinuationEncoder encoder = new ContinuationEncoder(tokenizer, 512);
            for (String name : List.of("english", "lang2", "code", "math")) {
                for (ChoiceItem item : new HeldOutItems(corpus(name), 1).choices(name, 50, 200, 40).items()) {
                    for (Continuation continuation : item.continuations()) {
                        EncodedContinuation encoded = encoder.encode(continuation);
                        assertEquals(continuation.text(), tokenizer.decode(java.util.Arrays.copyOfRange(encoded.ids(), encoded.from(), encoded.ids().length), true));
                    }
                }
            }
        }
    }

    @Test
    void whatCannotBeMadeIsRefused() {
        List<Document> documents = corpus("english");
        Harness.assertRefused("no document", () -> new HeldOutItems(List.of(), 0));
        Harness.assertRefused("documents = 1", () -> new HeldOutItems(documents.subList(0, 1), 0).choices("t", 5, 100, 40));
        Harness.assertRefused("give only 0 items", () -> new HeldOutItems(documents, 0).choices("t", 5, 100, 1_000_000));
        Harness.assertRefused("maxContext = 5, must be at least 10", () -> new HeldOutItems(documents, 0).cloze("t", 5, 10, 5));
        Harness.assertRefused("count = 0", () -> new HeldOutItems(documents, 0).cloze("t", 0, 10, 50));
        Harness.assertRefused("give only 0 items", () -> new HeldOutItems(documents, 0).methods("t", 1, 500, 50));
    }
}
