package io.github.bts4j.core.fuzz;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;

/** Damage to bytes of any kind: bits turned, parts cut out, put in, exchanged, numbers made extreme. Seeded. */
public final class ByteMutation {

    private static final long[] EXTREMES = {0, 1, -1, 127, 255, 65_535, Integer.MAX_VALUE, 1L << 31, 1L << 32, 1L << 40, Long.MAX_VALUE, Long.MIN_VALUE};
    private static final String SIGNIFICANT = "{}[],:\"\\-e.0 n\0\n\u007F";

    private ByteMutation() {}

    /** A damaged copy. */
    public static byte[] of(byte[] valid, Random random) {
        return of(valid, valid.length, random);
    }

    /** A damaged copy in which most damage is in the first bytes, where a file says what it is. */
    public static byte[] of(byte[] valid, int head, Random random) {
        byte[] bytes = valid.clone();
        int rounds = 1 + random.nextInt(4);
        for (int i = 0; i < rounds && bytes.length > 0; i++) {
            int at = random.nextInt(random.nextInt(4) == 0 ? bytes.length : Math.max(1, Math.min(head, bytes.length)));
            switch (random.nextInt(8)) {
                case 0, 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> bytes = Arrays.copyOf(bytes, at);
                case 3 -> bytes = replaced(bytes, at, 0, random(random));
                case 4 -> bytes = replaced(bytes, at, 1 + random.nextInt(8), new byte[0]);
                case 5 -> number(bytes, at, random);
                case 6 -> bytes[at] = (byte) SIGNIFICANT.charAt(random.nextInt(SIGNIFICANT.length()));
                default -> bytes[at] = (byte) random.nextInt(256);
            }
        }
        return bytes;
    }

    private static byte[] random(Random random) {
        byte[] bytes = new byte[1 + random.nextInt(8)];
        random.nextBytes(bytes);
        return bytes;
    }

    private static byte[] replaced(byte[] bytes, int at, int count, byte[] by) {
        int rest = Math.max(0, bytes.length - at - count);
        return ByteBuffer.allocate(at + by.length + rest).put(bytes, 0, at).put(by).put(bytes, bytes.length - rest, rest).array();
    }

    private static void number(byte[] bytes, int at, Random random) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(random.nextInt(4) == 0 ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
        long value = EXTREMES[random.nextInt(EXTREMES.length)] + random.nextInt(3) - 1;
        if (bytes.length - at >= 8 && random.nextBoolean()) {
            buffer.putLong(at, value);
        } else if (bytes.length - at >= 4) {
            buffer.putInt(at, (int) value);
        }
    }
}
