package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.bts4j.core.MismatchException;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.cluster.Cluster;
import io.github.bts4j.train.data.Document;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tasks of a cluster that encode. */
class EncodingTest {
    private static final Path TOKENIZER = Commands.DATA.resolve("tokenizer").resolve("tokenizer.json");
    private static final String TEXT = "It is a truth universally acknowledged";

    private static final Cluster.Place HERE = new Cluster.Place() {
        @Override
        public Path find(String path) {
            return Path.of(path);
        }

        @Override
        public int threads() {
            return 1;
        }
    };

    @TempDir
    private Path folder;

    private static ArrayList<Document> documents() {
        return new ArrayList<>(List.of(new Document(TEXT, "here")));
    }

    /** A second task finds the tokenizer open, although its file is gone. */
    @Test
    void aTokenizerIsOpenedOnceInEachProcess() throws IOException {
        Files.copy(TOKENIZER, folder.resolve("tokenizer.json"));
        int[] expected;
        String sha256;
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(folder)) {
            expected = tokenizer.encode(TEXT, true);
            sha256 = tokenizer.sha256();
        }
        Encoding encoding = new Encoding(folder.toString(), sha256, Encoding.NONE, false, "");
        assertArrayEquals(expected, encoding.of(documents(), HERE).get(0));
        Files.delete(folder.resolve("tokenizer.json"));
        assertArrayEquals(expected, encoding.of(documents(), HERE).get(0));
    }

    @Test
    void anotherTokenizerThanTheFirstProcessHasIsRefused() {
        Encoding encoding = new Encoding(TOKENIZER.toString(), "0".repeat(64), Encoding.NONE, false, "");
        for (int task = 0; task < 2; task++) {
            String message = assertThrows(MismatchException.class, () -> encoding.of(documents(), HERE)).getMessage();
            assertEquals("The tokenizer in " + TOKENIZER + " is not the one that the first process has opened", message.substring(0, message.indexOf(" (SHA-256 ")));
        }
    }
}
