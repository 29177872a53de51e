package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.examples.TinyCheckpoints;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With {@code --no-mmap} a command goes on when its weights are cut, which ends a process that has mapped them. */
class CopiedWeightsTest {
    @TempDir
    private Path folder;

    @Test
    void theFileMayBeCutWhileACommandRuns() throws IOException {
        Path model = TinyCheckpoints.write(folder.resolve("model"), 3);
        Path weights = model.resolve("model.safetensors");
        String whole = chat(model, new ByteArrayInputStream("Hello\nAgain\n".getBytes(StandardCharsets.UTF_8)));
        assertTrue(whole.lines().count() > 2, whole);
        Cutting input = new Cutting(weights);
        assertEquals(whole, chat(model, input));
        assertTrue(input.cut);
        assertEquals(8, weights.toFile().length());
    }

    private static String chat(Path model, InputStream input) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        InputStream before = System.in;
        System.setIn(input);
        try {
            int status = Bts.run(new String[] {"chat", model.toString(), "--template", "llama2", "--no-mmap", "--max-tokens", "12", "--temperature", "0"}, new PrintWriter(out, true), new PrintWriter(err, true));
            assertEquals(0, status, err.toString());
        } finally {
            System.setIn(before);
        }
        return out.toString();
    }

    /** What a person types, who cuts the file before the first message, when the model is open. */
    private static final class Cutting extends ByteArrayInputStream {
        private final Path file;
        private boolean cut;

        Cutting(Path file) {
            super("Hello\nAgain\n".getBytes(StandardCharsets.UTF_8));
            this.file = file;
        }

        @Override
        public synchronized int read(byte[] into, int from, int length) {
            if (!cut) {
                cut = true;
                try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    assertFalse(channel.size() <= 8);
                    channel.truncate(8);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }
            return super.read(into, from, length);
        }
    }
}
