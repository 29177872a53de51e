package io.github.bts4j.train.data;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.DataException;
import org.junit.jupiter.api.function.Executable;

/** Small datasets, and assertions on the messages of refused arguments. */
final class TestData {

    private TestData() {
    }

    static void assertRefused(String message, Executable call) {
        assertRefused(IllegalArgumentException.class, message, call);
    }

    /** A source that cannot be used, by no fault of the code. */
    static void assertUnusable(String message, Executable call) {
        assertRefused(DataException.class, message, call);
    }

    private static void assertRefused(Class<? extends RuntimeException> type, String message, Executable call) {
        String actual = assertThrows(type, call).getMessage();
        assertTrue(actual.contains(message), () -> "expected a message with\n" + message + "\nbut it was\n" + actual);
    }

    /** A dataset of one document with tokens first, first + 1, .. */
    static TokenDataset counting(String name, int first, int size) {
        return TokenDataset.builder(name).add(java.util.stream.IntStream.range(first, first + size).toArray(), size).build();
    }
}
