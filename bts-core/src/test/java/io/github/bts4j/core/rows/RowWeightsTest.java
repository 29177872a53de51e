package io.github.bts4j.core.rows;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.support.ElementType;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class RowWeightsTest {
    @Test
    void aCopyThatTheHeapCannotHoldIsRefusedWithTheFigures() {
        assertTrue(RowWeights.hasRoom(1));
        RowWeights.requireRoom(1);
        long bytes = Runtime.getRuntime().maxMemory();
        assertFalse(RowWeights.hasRoom(bytes));
        String message = assertThrows(IllegalArgumentException.class, () -> RowWeights.requireRoom(bytes)).getMessage();
        Matcher figures = Pattern.compile("repacked weights take (\\d+) MiB of the Java heap, of which (\\d+) of (\\d+) MiB are free: start Java with -Xmx(\\d+)m or more .*").matcher(message);
        assertTrue(figures.matches(), message);
        long heap = (bytes + (1 << 20) - 1) >> 20;
        assertTrue(Long.parseLong(figures.group(1)) == heap && Long.parseLong(figures.group(3)) == heap, message);
        assertTrue(Long.parseLong(figures.group(2)) <= heap && Long.parseLong(figures.group(4)) > heap, message);
    }

    /** An adapter's model reads its base's matrices: only those of its own are copied, here the head of 5 x 4 in bfloat16. */
    @Test
    void matricesOfAnotherModelAreNotCopiedAgain() {
        Matrix shared = bfloat16(8);
        Matrix own = bfloat16(5);
        Linear linear = new Linear(shared, 8);
        RowWeights.Norms norms = new RowWeights.Norms(new float[4], new float[0], new float[4], new float[0], new float[0], new float[0]);
        RowWeights.Layer layer = new RowWeights.Layer(norms, new RowWeights.Kind(0, 0), linear, linear, linear, linear, linear, linear, linear);
        RowWeights weights = new RowWeights(own, List.of(layer, layer), new float[4], new Linear(own, 5), false);
        assertEquals(2 * 5 * 4, weights.bytesToRepack(Set.of(shared)));
        assertEquals(2 * 5 * 4 + 14 * 2 * 8 * 4, weights.bytesToRepack(Set.of()));
        assertEquals(weights.bytes(), weights.bytesToRepack(Set.of()));
    }

    private static Matrix bfloat16(int rows) {
        return new ScalarMatrix(new Elements(ByteBuffer.allocateDirect(2 * rows * 4), ElementType.BFLOAT16, 0, 4));
    }
}
