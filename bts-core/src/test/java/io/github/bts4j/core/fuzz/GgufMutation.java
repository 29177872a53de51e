package io.github.bts4j.core.fuzz;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Damage that knows GGUF: counts, lengths, types, values, shapes and offsets, each where it stands. Seeded. */
public final class GgufMutation {

    private static final int[] WIDTHS = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    private static final int STRING = 8;
    private static final int ARRAY = 9;

    /** A number in the file, and of how many bytes. */
    private record Field(int at, int width) {}

    private final List<Field> fields = new ArrayList<>();
    private final ByteBuffer file;

    /** Finds the fields of a valid file. */
    public GgufMutation(byte[] valid) {
        file = ByteBuffer.wrap(valid).order(ByteOrder.LITTLE_ENDIAN);
        number(4);
        number(4);
        long tensors = number(8);
        long entries = number(8);
        for (long i = 0; i < entries; i++) {
            string();
            value((int) number(4));
        }
        for (long i = 0; i < tensors; i++) {
            string();
            long dimensions = number(4);
            for (long d = 0; d < dimensions; d++) {
                number(8);
            }
            number(4);
            number(8);
        }
    }

    private void value(int type) {
        if (type == STRING) {
            string();
        } else if (type == ARRAY) {
            int of = (int) number(4);
            long count = number(8);
            for (long i = 0; i < count; i++) {
                value(of);
            }
        } else {
            number(WIDTHS[type]);
        }
    }

    private long number(int width) {
        fields.add(new Field(file.position(), width));
        return switch (width) {
            case 1 -> file.get();
            case 2 -> file.getShort();
            case 4 -> file.getInt();
            default -> file.getLong();
        };
    }

    private void string() {
        int length = (int) number(8);
        if (length > 0) {
            fields.add(new Field(file.position(), 0)); // a text: its first byte
        }
        file.position(file.position() + length);
    }

    /** A damaged copy. */
    public byte[] of(byte[] valid, Random random) {
        byte[] bytes = valid.clone();
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int rounds = 1 + random.nextInt(2);
        for (int i = 0; i < rounds; i++) {
            // Every second in the first hundred, which say what the model is; long lists would take all otherwise.
            Field field = fields.get(random.nextInt(random.nextBoolean() ? Math.min(100, fields.size()) : fields.size()));
            switch (field.width()) {
                case 0 -> bytes[field.at()] = "\0\u00ffa_. "
                        .getBytes(StandardCharsets.ISO_8859_1)[random.nextInt(6)];
                case 1 -> buffer.put(field.at(), (byte) random.nextInt(256));
                case 2 -> buffer.putShort(field.at(), (short) random.nextInt());
                case 4 -> buffer.putInt(field.at(), (int) near(buffer.getInt(field.at()), random));
                default -> buffer.putLong(field.at(), near(buffer.getLong(field.at()), random));
            }
        }
        return random.nextInt(10) == 0 ? java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes;
    }

    private static long near(long old, Random random) {
        long[] values = {0, 1, -1, old + 1, old - 1, old * 2, old / 2, random.nextInt(40), 1 << 20, Integer.MAX_VALUE, 1L << 31, 1L << 32, 1L << 40, Long.MAX_VALUE, Long.MIN_VALUE,
            Float.floatToIntBits(Float.NaN), Float.floatToIntBits(1e30f)};
        return values[random.nextInt(values.length)];
    }
}
