package io.github.bts4j.train.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/** Reads the scalars and histograms of a TensorBoard event file: TFRecord framing with masked CRC-32C, then Event and Summary messages. */
final class EventFile {
    private final Map<String, Map<Long, Float>> scalars = new TreeMap<>();
    private final Map<String, Map<Integer, List<Double>>> histograms = new TreeMap<>();
    private int records;

    EventFile(byte[] bytes) {
        ByteBuffer file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        while (file.hasRemaining()) {
            byte[] length = new byte[8];
            file.get(length);
            assertEquals(masked(length), file.getInt(), "checksum of a length");
            byte[] event = new byte[(int) ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong()];
            file.get(event);
            assertEquals(masked(event), file.getInt(), "checksum of an event");
            records++;
            readEvent(ByteBuffer.wrap(event).order(ByteOrder.LITTLE_ENDIAN));
        }
    }

    Map<String, Map<Long, Float>> scalars() {
        return scalars;
    }

    /** Histogram by tag and step: the numbers of every field of HistogramProto. */
    Map<String, Map<Integer, List<Double>>> histograms() {
        return histograms;
    }

    int records() {
        return records;
    }

    private static int masked(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        int value = (int) crc.getValue();
        return (value >>> 15 | value << 17) + 0xa282ead8;
    }

    private void readEvent(ByteBuffer event) {
        long step = 0;
        ByteBuffer summary = ByteBuffer.allocate(0);
        while (event.hasRemaining()) {
            long key = varint(event);
            switch ((int) (key >>> 3)) {
                case 2 -> step = varint(event);
                case 5 -> summary = message(event);
                default -> skip(event, (int) key & 7);
            }
        }
        while (summary.hasRemaining()) {
            assertEquals(1, varint(summary) >>> 3, "a summary holds values");
            readValue(message(summary), step);
        }
    }

    private void readValue(ByteBuffer value, long step) {
        String tag = "";
        while (value.hasRemaining()) {
            long key = varint(value);
            switch ((int) (key >>> 3)) {
                case 1 -> tag = StandardCharsets.UTF_8.decode(message(value)).toString();
                case 2 -> scalars.computeIfAbsent(tag, name -> new TreeMap<>()).put(step, value.getFloat());
                case 5 -> readHistogram(message(value), tag + "@" + step);
                default -> skip(value, (int) key & 7);
            }
        }
    }

    private void readHistogram(ByteBuffer histogram, String tag) {
        Map<Integer, List<Double>> fields = histograms.computeIfAbsent(tag, name -> new TreeMap<>());
        while (histogram.hasRemaining()) {
            long key = varint(histogram);
            ByteBuffer numbers = (key & 7) == 2 ? message(histogram) : histogram.slice(histogram.position(), Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            if ((key & 7) != 2) {
                histogram.position(histogram.position() + Double.BYTES);
            }
            while (numbers.hasRemaining()) {
                fields.computeIfAbsent((int) (key >>> 3), field -> new ArrayList<>()).add(numbers.getDouble());
            }
        }
    }

    private static ByteBuffer message(ByteBuffer in) {
        int length = (int) varint(in);
        ByteBuffer part = in.slice(in.position(), length).order(ByteOrder.LITTLE_ENDIAN);
        in.position(in.position() + length);
        return part;
    }

    private static void skip(ByteBuffer in, int wire) {
        switch (wire) {
            case 0 -> varint(in);
            case 1 -> in.getLong();
            case 2 -> message(in);
            default -> in.getInt();
        }
    }

    private static long varint(ByteBuffer in) {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            byte next = in.get();
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
    }
}
