package io.github.bts4j.core.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that change while a model is open. */
class OpenedFilesTest {

    private static final Path GOLDEN = Path.of(System.getProperty("bts4j.testData"), "golden", "llama2-gqa");

    @TempDir
    private Path folder;

    @BeforeEach
    void copy() throws IOException {
        for (String name : new String[] {"config.json", "model.safetensors"}) {
            Files.copy(GOLDEN.resolve(name), folder.resolve(name));
        }
    }

    private static float[] logits(LlamaModel model) {
        try (DecodeSession session = model.newSession(8)) {
            return session.append(1, 2, 3);
        }
    }

    private void replace() throws IOException {
        Path other = Files.copy(folder.resolve("model.safetensors"), folder.resolve("other"));
        try (FileChannel channel = FileChannel.open(other, StandardOpenOption.WRITE)) {
            channel.write(java.nio.ByteBuffer.wrap(new byte[] {1, 2, 3}), channel.size() - 3);
        }
        Files.move(other, folder.resolve("model.safetensors"), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private void cut() throws IOException {
        try (FileChannel channel = FileChannel.open(folder.resolve("model.safetensors"), StandardOpenOption.WRITE)) {
            channel.truncate(100);
        }
    }

    @Test
    void aFingerprintIsOfWhatWasOpened() throws IOException {
        ModelFingerprint old = ModelFingerprint.of(folder);
        try (LlamaModel asked = LlamaModel.open(folder); LlamaModel unasked = LlamaModel.open(folder)) {
            float[] before = logits(asked);
            assertEquals(old, asked.fingerprint());
            replace();
            assertEquals(old, asked.fingerprint());
            String message = assertThrows(ModelFormatException.class, unasked::fingerprint).getMessage();
            assertTrue(message.contains("model.safetensors: was changed since the model was opened") && message.contains("another file"), message);
            assertArrayEquals(before, logits(unasked), "the mapping keeps the file that was opened");
        }
    }

    @Test
    void aMappedFileThatIsCutIsToldBeforeASessionBegins() throws IOException {
        try (LlamaModel model = LlamaModel.open(folder)) {
            logits(model);
            cut();
            String message = assertThrows(ModelFormatException.class, () -> model.newSession(8)).getMessage();
            assertTrue(message.contains("has 100 bytes") && message.contains("--no-mmap"), message);
        }
    }

    @Test
    void copiedWeightsNeedNoFile() throws IOException {
        try (LlamaModel mapped = LlamaModel.open(folder); LlamaModel copied = LlamaModel.open(folder, LoadOptions.defaults().withMapping(false))) {
            float[] expected = logits(mapped);
            assertArrayEquals(expected, logits(copied));
            cut();
            assertArrayEquals(expected, logits(copied));
        }
    }
}
