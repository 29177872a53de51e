package io.github.bts4j.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What a message is made of. */
class ModelFormatExceptionTest {

    private static final Path FILE = Path.of("model.safetensors");

    @Test
    void namesFileTensorAndByte() {
        assertEquals("model.safetensors: bad", new ModelFormatException(FILE, "bad").getMessage());
        assertEquals("model.safetensors: byte 7: bad", ModelFormatException.at(FILE, 7, "bad").getMessage());
        assertEquals("model.safetensors: tensor 'w': bad", ModelFormatException.inTensor(FILE, "w", "bad").getMessage());
        ModelFormatException full = ModelFormatException.inTensor(FILE, "w", 7, "bad");
        assertEquals("model.safetensors: tensor 'w', byte 7: bad", full.getMessage());
        assertEquals(FILE, full.file());
        assertEquals(Optional.of("w"), full.tensor());
        assertEquals(OptionalLong.of(7), full.offset());
        assertEquals(OptionalLong.empty(), new ModelFormatException(FILE, "bad").offset());
        IOException cause = new IOException("x");
        assertSame(cause, new ModelFormatException(FILE, "bad", cause).getCause());
    }

    @Test
    void listsProblemsUpToALimit() {
        assertEquals("model.safetensors: wrong (1 problem):\n  - a",
                ModelFormatException.listing(FILE, "wrong", List.of("a")).getMessage());
        String many = ModelFormatException.listing(
                FILE, "wrong", IntStream.range(0, 53).mapToObj(i -> "p" + i).toList()).getMessage();
        assertTrue(many.startsWith("model.safetensors: wrong (53 problems):\n  - p0\n"), many);
        assertTrue(many.endsWith("\n  - p49\n  - and 3 more"), many);
        assertThrows(IllegalArgumentException.class, () -> ModelFormatException.listing(FILE, "wrong", List.of()));
    }

    @Test
    void survivesSerialization() throws IOException, ClassNotFoundException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(ModelFormatException.inTensor(FILE, "w", 7, "bad"));
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            ModelFormatException copy = (ModelFormatException) in.readObject();
            assertEquals(FILE, copy.file());
            assertEquals(Optional.of("w"), copy.tensor());
            assertEquals(OptionalLong.of(7), copy.offset());
        }
    }

    /** Parts of a message come from files: a terminal must not obey them, and a log must not be flooded. */
    @Test
    void canBePrintedAsItIs() {
        assertEquals("model.safetensors: a\\u001b[31m\n  - b\\u0000\\u0085", new ModelFormatException(FILE, "a\u001b[31m\n  - b\0\u0085").getMessage());
        assertTrue(new ModelFormatException(FILE, "x".repeat(5_000_000)).getMessage().length() < 20_100);
    }
}
