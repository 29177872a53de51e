package io.github.bts4j.core.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.checkpoint.SafetensorsFile;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.support.Interrupts;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** A thread that is interrupted while it opens a model learns that, and not that a file is damaged. */
class InterruptedOpeningTest {
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"));
    private static final Path FOLDER = DATA.resolve("server");
    private static final Path GGUF = DATA.resolve("stories260K/stories260K.gguf");
    private static final int TRIALS = 30;
    private static final long LONGEST_WAIT_NANOS = 20_000_000;

    /** Read as streams, of which the JDK does not look at interrupts. */
    private static final Set<String> STREAMED = Set.of("tokenizer", "fingerprint");

    @TempDir
    private Path folder;

    private static Throwable thrownBy(Executable opening) {
        try {
            opening.execute();
            return null;
        } catch (Throwable e) {
            return e;
        }
    }

    private static void assertInterrupted(String what, Throwable thrown) {
        assertTrue((thrown instanceof IOException || thrown instanceof UncheckedIOException) && Interrupts.caused(thrown), what + ": " + thrown);
    }

    @Test
    void whateverIsOpened() throws IOException {
        Path shard = Files.copy(FOLDER.resolve("model.safetensors"), folder.resolve("model-1.safetensors"));
        String shards = SafetensorsFile.open(shard).entries().stream().map(entry -> "\"" + entry.name() + "\":\"model-1.safetensors\"").collect(Collectors.joining(","));
        Files.writeString(folder.resolve("model.safetensors.index.json"), "{\"weight_map\":{" + shards + "}}");
        Map<String, Executable> openings = new LinkedHashMap<>();
        openings.put("folder", () -> TextModel.open(FOLDER).close());
        openings.put("GGUF", () -> TextModel.open(GGUF).close());
        openings.put("tokenizer", () -> LlamaTokenizer.open(FOLDER).close());
        openings.put("tokenizer in GGUF", () -> LlamaTokenizer.open(GGUF).close());
        openings.put("checkpoint", () -> Checkpoint.open(FOLDER));
        openings.put("shards", () -> Checkpoint.open(folder));
        openings.put("safetensors", () -> SafetensorsFile.open(FOLDER.resolve("model.safetensors")));
        openings.put("fingerprint", () -> ModelFingerprint.of(FOLDER));
        openings.forEach((what, opening) -> {
            Thread.currentThread().interrupt();
            Throwable thrown = thrownBy(opening);
            assertTrue(Thread.interrupted(), what + ": the interrupt stays visible");
            if (thrown != null || !STREAMED.contains(what)) {
                assertInterrupted(what, thrown);
            }
            assertEquals(null, thrownBy(opening), what + " opens once the thread is not interrupted");
        });
    }

    /** At any moment, from another thread: the model that opened all the same is a whole one. */
    @Test
    void atAnyMoment() throws Exception {
        String text;
        try (TextModel model = TextModel.open(GGUF)) {
            text = model.generate("Once", GenerationConfig.greedy(3)).text();
        }
        int refused = 0;
        for (int i = 0; i < TRIALS; i++) {
            Thread opener = Thread.currentThread();
            long nanos = LONGEST_WAIT_NANOS * i / TRIALS;
            Thread other = new Thread(() -> {
                java.util.concurrent.locks.LockSupport.parkNanos(nanos);
                opener.interrupt();
            });
            other.start();
            try (TextModel model = TextModel.open(i % 2 == 0 ? GGUF : FOLDER)) {
                if (i % 2 == 0) {
                    assertEquals(text, model.generate("Once", GenerationConfig.greedy(3)).text());
                }
            } catch (IOException | RuntimeException e) {
                assertInterrupted("trial " + i, e);
                refused++;
            }
            while (other.isAlive()) { // join would throw
                Thread.onSpinWait();
            }
            assertTrue(Thread.interrupted(), "the interrupt stays visible");
        }
        assertFalse(refused == 0, "no trial was interrupted while it opened a model");
    }
}
