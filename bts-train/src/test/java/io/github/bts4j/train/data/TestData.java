package io.github.bts4j.train.data;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.function.Executable;

/** Small datasets, and assertions on the messages of refused arguments. */
final class TestData {

    private TestData() {
    }

    static void assertRefused(String message, Executable call) {
        String actual = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(actual.contains(message), () -> "expected a message with\n" + message + "\nbut it was\n" + actual);
    }

    /** A dataset of one document with tokens first, first + 1, .. */
    static TokenDataset counting(String name, int first, int size) {
        return TokenDataset.builder(name).add(java.util.stream.IntStream.range(first, first + size).toArray(), size).build();
    }
}
