package io.github.bts4j.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.bts4j.core.support.ElementType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Element types, sizes, and the entry record. */
class ElementTypeTest {

    private static final Path FILE = Path.of("x.safetensors");

    @Test
    void sizesAreThoseOfTheFormat() {
        assertEquals("BOOL=1 U8=1 I8=1 I16=2 U16=2 F16=2 BF16=2 I32=4 U32=4 F32=4 F64=8 I64=8 U64=8",
                String.join(" ", Arrays.stream(ElementType.values()).map(t -> t.fileName() + "=" + t.bytes()).toList()));
    }

    @Test
    void namesAreExact() {
        for (ElementType type : ElementType.values()) {
            assertEquals(Optional.of(type), ElementType.named(type.fileName()));
        }
        assertEquals(Optional.empty(), ElementType.named("bf16"));
        assertEquals(Optional.empty(), ElementType.named("F8_E4M3"));
    }

    @Test
    void byteCountsAreLong() {
        assertEquals(4, ElementType.FLOAT32.byteCount(List.of()));
        assertEquals(0, ElementType.FLOAT32.byteCount(List.of(3L, 0L)));
        assertEquals(16L << 30, ElementType.BFLOAT16.byteCount(List.of(1L << 20, 1L << 13)));
        assertEquals("shape = [2, -1] has the negative dimension -1",
                assertThrows(IllegalArgumentException.class, () -> ElementType.UINT8.byteCount(List.of(2L, -1L))).getMessage());
        assertThrows(ArithmeticException.class, () -> ElementType.FLOAT64.byteCount(List.of(1L << 60)));
        assertThrows(ArithmeticException.class, () -> ElementType.UINT8.byteCount(List.of(1L << 62, 2L, 0L)));
    }

    @Test
    void anEntryKnowsItsElementsAndEndAndKeepsItsShape() {
        List<Long> shape = new ArrayList<>(List.of(2L, 3L));
        TensorEntry entry = new TensorEntry("w", ElementType.FLOAT16, shape, FILE, 100, 12);
        shape.set(0, 7L);
        entry.dimensions()[0] = 7;

        assertEquals(List.of(2L, 3L), entry.shape());
        assertArrayEquals(new long[] {2, 3}, entry.dimensions());
        assertEquals(6, entry.elements());
        assertEquals(112, entry.end());
        assertThrows(UnsupportedOperationException.class, () -> entry.shape().set(0, 1L));
    }

    @Test
    void anEntryRefusesPartsThatDisagree() {
        assertEquals("length = 11 of tensor 'w', but F16 [2, 3] takes 12 bytes", assertThrows(
                IllegalArgumentException.class,
                () -> new TensorEntry("w", ElementType.FLOAT16, List.of(2L, 3L), FILE, 0, 11)).getMessage());
        assertEquals("offset = -1 of tensor 'w' is negative", assertThrows(IllegalArgumentException.class,
                () -> new TensorEntry("w", ElementType.FLOAT16, List.of(), FILE, -1, 2)).getMessage());
        assertThrows(ArithmeticException.class,
                () -> new TensorEntry("w", ElementType.FLOAT16, List.of(), FILE, Long.MAX_VALUE, 2));
    }
}
