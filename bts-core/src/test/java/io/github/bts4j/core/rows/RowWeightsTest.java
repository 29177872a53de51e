package io.github.bts4j.core.rows;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
}
