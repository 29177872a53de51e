package io.github.bts4j.cli;

import static io.github.bts4j.cli.Commands.refused;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What YAML has beyond maps, lists and values is refused by name, in run files and in an experiment's. */
class RunFileTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            steps: &n 5\\nbatch: *n\\n              | :2: anchors and aliases (&name, *name) are not read
            steps: 5\\nbatch: *n\\n                 | run.yaml
            base: &b {a: 1}\\ndata:\\n  <<: *b\\n   | :1: anchors and aliases
            data:\\n  <<: {code: x}\\n              | :2: merge keys (<<) are not read
            <<: {code: x}\\n                        | :1: merge keys (<<) are not read
            steps: 5\\n---\\nbatch: 3\\n            | a second document begins here
            steps: 5\\n...\\n---\\nbatch: 3\\n      | a second document begins here
            steps: 5\\nbatch: 2\\nsteps: 6\\n       | :3: the key 'steps' is already in line 1
            data:\\n  code: x\\n  code: y\\n        | :3: the key 'code' is already in line 2
            """)
    void isRefusedByName(String yaml, String message) throws IOException {
        Path file = Files.writeString(folder.resolve("run.yaml"), yaml.replace("\\n", "\n"));
        refused(message, "train", file);
        refused(message, "experiment", file);
    }

    @Test
    void sizeAndEncodingHaveLimits() throws IOException {
        Path file = folder.resolve("run.yaml");
        Files.writeString(file, "out: " + "x".repeat(5_000_000) + "\n");
        Assertions.assertTimeoutPreemptively(Duration.ofSeconds(60), () -> refused("has 5000006 bytes, the limit of a file of settings is 1048576", "train", file));
        Files.writeString(file, "out: " + "x".repeat(1_000_000) + "\nsteps: many\n");
        Assertions.assertTimeoutPreemptively(Duration.ofSeconds(60), () -> refused("steps", "train", file));
        Files.write(file, "out: gr\u00fcn\n".getBytes(StandardCharsets.ISO_8859_1));
        refused("run.yaml is not text in UTF-8", "train", file);
    }
}
