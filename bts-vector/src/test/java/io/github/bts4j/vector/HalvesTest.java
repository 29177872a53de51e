package io.github.bts4j.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

/** Float16 numbers by their definition in IEEE 754: {@code (-1)^s 2^(e - 15) (1 + f / 2^10)}, and {@code (-1)^s 2^-14 f / 2^10} for e = 0. */
class HalvesTest {
    private static final int INFINITY = 0x7C00;

    private static float defined(int half) {
        int exponent = half >> 10 & 31;
        int fraction = half & 1023;
        float magnitude = exponent == 0 ? Math.scalb((float) fraction, -24) : Math.scalb((float) (1024 + fraction), exponent - 25);
        return (half & 0x8000) == 0 ? magnitude : -magnitude;
    }

    @Test
    void everyFiniteNumberIsExact() {
        int[] bits = new int[1 << 16];
        ByteBuffer bytes = ByteBuffer.allocate(2 << 16).order(ByteOrder.LITTLE_ENDIAN);
        for (int half = 0; half < bits.length; half++) {
            bits[half] = (short) half;
            bytes.putShort((short) half);
        }
        float[] converted = new float[bits.length];
        Halves.convert(bits, bits.length, converted);
        for (int half = 0; half < bits.length; half++) {
            if ((half & INFINITY) != INFINITY) {
                assertEquals(defined(half), converted[half], "bits " + Integer.toHexString(half));
                assertEquals(defined(half), Halves.at(bytes, 2 * half), "bits " + Integer.toHexString(half));
            }
        }
    }
}
