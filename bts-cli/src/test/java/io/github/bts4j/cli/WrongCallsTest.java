package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.examples.TinyCheckpoints;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Calls that cannot be done as they stand: exit status 2, and a message that says what to change. */
class WrongCallsTest {
    @TempDir
    private Path folder;

    private final StringWriter err = new StringWriter();

    private String wrong(Object... arguments) {
        int status = Bts.run(IntStream.range(0, arguments.length).mapToObj(i -> arguments[i].toString()).toArray(String[]::new), new PrintWriter(new StringWriter()), new PrintWriter(err, true));
        assertEquals(2, status, err.toString());
        return err.toString();
    }

    @Test
    void anExperimentsFileNamesItsMisspeltKeys() throws IOException {
        Path paper = Path.of("..", "experiment", "paper.yaml");
        Path file = folder.resolve("compare.yaml");
        List<String> lines = Files.readAllLines(paper);
        int line = IntStream.range(0, lines.size()).filter(i -> lines.get(i).startsWith("model:")).findFirst().orElseThrow() + 1;
        Files.writeString(file, Files.readString(paper).replaceFirst("(?m)^model:", "modle:"));
        String found = wrong("experiment", file);
        assertTrue(found.startsWith("bts experiment: " + file + ":" + line + ": the key 'modle' is not known, did you mean 'model'?; known are adapters, checkpoint-every, domains, "), found);
        assertFalse(found.contains("missing"), found);
    }

    @Test
    void anExperimentsFileNamesValuesOfTheWrongType() throws IOException {
        Path file = folder.resolve("compare.yaml");
        Files.writeString(file, Files.readString(Path.of("..", "experiment", "paper.yaml")).replaceFirst("(?m)^sequence-length: .*", "sequence-length: long"));
        assertTrue(wrong("experiment", file).contains("sequence-length: 'long' is not a whole number"), err.toString());
    }

    @Test
    void aPlanOfAClusterIsRefused() {
        assertEquals("bts experiment: --master local[2]: --plan measures this machine alone, and says nothing of a cluster: leave out one of the two",
                wrong("experiment", Path.of("..", "experiment", "paper.yaml"), "--plan", "--master", "local[2]").strip());
    }

    @Test
    void anExperimentsFileThatIsNotThereIsNamed() {
        assertTrue(wrong("experiment", folder.resolve("none.yaml")).contains("none.yaml does not exist"), err.toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            49 | 50 | bts train: --hold-out 50: of the 49 documents of 'code' none would be held out; use at most 49
            1 | 2 | bts train: --hold-out 2: the domain 'code' has only one document, which cannot be both trained on and held out
            49 | 1 | bts train: --hold-out 1 is below 2
            """)
    void aHoldOutThatLeavesNothingIsRefusedWithItsLimit(int documents, int holdOut, String message) throws IOException {
        Path text = folder.resolve("code.jsonl");
        Files.write(text, IntStream.range(0, documents).mapToObj(i -> "{\"text\": \"int f" + i + "() { return " + i + "; }\"}").toList());
        Path seed = TinyCheckpoints.write(folder.resolve("seed"), 1);
        String found = wrong("train", seed, "--data", "code=" + text, "--hold-out", holdOut, "--sequence", 16, "--out", folder.resolve("expert"));
        assertTrue(found.contains(message), found);
        assertFalse(Files.exists(folder.resolve("expert-run")), "nothing was made");
    }
}
