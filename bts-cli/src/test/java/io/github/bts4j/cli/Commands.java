package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.train.ExpertTraining;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Commands in this process. */
final class Commands {
    static final Path DATA = Path.of(System.getProperty("bts4j.testData"));

    private Commands() {}

    /** A folder with a small model of random weights and the bundled tokenizer. */
    static Path seed(Path folder, Integer... endTokens) throws IOException {
        LlamaConfig small = LlamaConfig.builder().vocabSize(2048).hiddenSize(32).intermediateSize(64).numLayers(4).numHeads(4).numKvHeads(2).maxPositionEmbeddings(128)
                .eosTokenIds(List.of(endTokens)).build();
        try (ExpertTraining random = ExpertTraining.fromScratch(small, 0.1, 1, Device.cpu())) {
            random.save(folder, DATA.resolve("tokenizer"));
        }
        return folder;
    }

    /** A copy of a bundled text. */
    static Path corpus(String name, Path folder) throws IOException {
        Path file = folder.resolve(name + ".jsonl");
        try (InputStream in = Commands.class.getResourceAsStream("/io/github/bts4j/examples/corpus/" + name + ".jsonl")) {
            Files.copy(in, file);
        }
        return file;
    }

    /** A file's text, or why there is none. */
    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** What a command printed. */
    record Result(int status, String out, String err) {
        JsonNode json() throws IOException {
            return new ObjectMapper().readTree(out);
        }
    }

    static Result bts(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int status = Bts.run(Arrays.stream(arguments).map(Object::toString).toArray(String[]::new), new PrintWriter(out, true), new PrintWriter(err, true));
        return new Result(status, out.toString(), err.toString());
    }

    static Result done(Object... arguments) {
        Result result = bts(arguments);
        assertEquals(0, result.status(), result.err() + result.out());
        return result;
    }

    /** A failure that says so in one line of the command's own, without a trace. */
    static void refused(String message, Object... arguments) {
        Result result = bts(arguments);
        assertNotEquals(0, result.status(), result.out());
        assertTrue(result.err().contains(message), "missing\n" + message + "\nin\n" + result.err());
        assertFalse(result.err().contains("\tat "), result.err());
    }
}
