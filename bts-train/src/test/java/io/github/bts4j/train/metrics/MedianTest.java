package io.github.bts4j.train.metrics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

class MedianTest {
    @Test
    void theValueInTheMiddleOrTheMeanOfTwo() {
        double[] values = {9, 1, 5};
        assertEquals(5, Median.of(values));
        assertArrayEquals(new double[] {9, 1, 5}, values);
        assertEquals(3, Median.of(9, 1, 5, -7));
        assertEquals(2.5, Median.of(2.5));
        assertEquals(1.5, Median.of(List.of(2.0, 0.0, 1.0, 7.0)));
        assertThrows(IllegalArgumentException.class, Median::of);
    }
}
