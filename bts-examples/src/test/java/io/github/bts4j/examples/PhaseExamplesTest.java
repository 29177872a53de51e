package io.github.bts4j.examples;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.checkpoint.ModelFingerprint;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One example per phase, one after the other, on checkpoint folders. */
class PhaseExamplesTest {
    @TempDir
    private Path folder;

    @Test
    void branchTrainStitchGenerate() throws Exception {
        Path seed = TinyCheckpoints.write(folder.resolve("seed"), 1);
        Path text = folder.resolve("text.jsonl");
        Files.writeString(text, "{\"text\": \"" + "In the beginning was the word, and it was short. ".repeat(80) + "\"}\n");
        String expert = folder.resolve("expert").toString();
        TrainExpertExample.main(new String[] {seed.toString(), text.toString(), expert, "10", "64"});
        assertTrue(!ModelFingerprint.of(Path.of(expert)).equals(ModelFingerprint.of(seed)), "the expert equals the seed");
        String stitch = folder.resolve("stitch").toString();
        StitchExample.main(new String[] {seed.toString(), text.toString(), stitch, "2", "5", expert, text.toString()});
        PrintStream before = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        try {
            System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
            GenerateExample.main(new String[] {stitch, "In the", "12"});
            GenerateExample.main(new String[] {expert, "In the", "12"});
        } finally {
            System.setOut(before);
        }
        String[] lines = printed.toString(StandardCharsets.UTF_8).split("(?=In the)");
        assertTrue(lines.length >= 2 && lines[0].length() > "In the".length() + 3, printed.toString(StandardCharsets.UTF_8));
    }

    @Test
    void wrongArgumentsSayTheUsage() {
        String message = assertThrows(IllegalArgumentException.class, () -> StitchExample.main(new String[] {"seed"})).getMessage();
        assertTrue(message.contains("SEED_FOLDER TEXT.jsonl STITCH_FOLDER K STEPS"), message);
    }
}
