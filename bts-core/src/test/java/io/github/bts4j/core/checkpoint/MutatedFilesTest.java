package io.github.bts4j.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Random damage to a valid file: it opens with every entry in bounds, or fails with the one documented exception. */
class MutatedFilesTest {

    private static final long SEED = 20260101;
    private static final int MUTATIONS = 100_000;
    private static final String SIGNIFICANT = "{}[],:\"\\-e.0 n";
    private static final byte[] VALID = SafetensorsBytes.file(
            "{\"__metadata__\":{\"format\":\"pt\"},\"a.ü\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
                    + "\"b\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[24,26]},"
                    + "\"c\":{\"dtype\":\"U8\",\"shape\":[4,0],\"data_offsets\":[26,26]},"
                    + SafetensorsBytes.vector("d", 26, 36) + "}   ", 36);

    @TempDir
    private Path folder;

    @Test
    void damageNeverGoesUnnoticedOrAstray() throws IOException {
        int opened = 0;
        for (int i = 0; i < MUTATIONS; i++) {
            byte[] bytes = mutate(VALID, new Random(SEED + i));
            try {
                // Every hundredth by way of the disk, which is slower; what is parsed is the same.
                opened += (i % 100 == 0 ? openedFromDisk(bytes) : openedFromMemory(bytes)) ? 1 : 0;
            } catch (RuntimeException | Error e) {
                throw new AssertionError("mutation " + i + " of seed " + SEED + ": " + Arrays.toString(bytes), e);
            }
        }
        assertTrue(opened > MUTATIONS / 100, "few mutations are harmless, but only " + opened + " opened");
        assertTrue(opened < MUTATIONS / 2, "most mutations are harmful, but " + opened + " opened");
    }

    @Test
    void theFileIsValidToBeginWith() throws IOException {
        assertTrue(openedFromMemory(VALID));
        assertTrue(openedFromDisk(VALID));
    }

    private boolean openedFromMemory(byte[] bytes) throws IOException {
        Path file = folder.resolve("in-memory");
        try {
            requireInBounds(SafetensorsHeader.read(file, new ByteArrayInputStream(bytes), bytes.length), bytes.length);
            return true;
        } catch (ModelFormatException e) {
            assertTrue(e.getMessage().startsWith(file + ": "), e::getMessage);
            return false;
        }
    }

    private boolean openedFromDisk(byte[] bytes) {
        Path path = SafetensorsBytes.write(folder.resolve("mutated.safetensors"), bytes);
        try {
            SafetensorsFile file = SafetensorsFile.open(path);
            for (TensorEntry entry : file.entries()) {
                assertEquals(ByteBuffer.wrap(bytes, (int) entry.offset(), (int) entry.length()), file.read(entry));
            }
            return true;
        } catch (ModelFormatException e) {
            assertEquals(path, e.file());
            return false;
        }
    }

    private static void requireInBounds(SafetensorsHeader header, long fileLength) {
        long end = -1;
        for (TensorEntry entry : header.entries()) {
            assertTrue(entry.offset() >= 8 && entry.length() >= 0 && entry.end() <= fileLength, entry::toString);
            assertTrue(end < 0 || entry.offset() == end, entry::toString);
            assertEquals(entry.length(), entry.elements() * entry.type().bytes());
            end = entry.end();
        }
    }

    private static byte[] mutate(byte[] valid, Random random) {
        byte[] bytes = valid.clone();
        int rounds = 1 + random.nextInt(3);
        for (int i = 0; i < rounds && bytes.length > 0; i++) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(7)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes = Arrays.copyOf(bytes, at);
                case 2 -> bytes = insert(bytes, at, random);
                case 3 -> bytes = withLength(bytes, random);
                case 4 -> editDigit(bytes, at, random);
                case 5 -> bytes = delete(bytes, at, 1 + random.nextInt(8));
                default -> bytes[at] = (byte) SIGNIFICANT.charAt(random.nextInt(SIGNIFICANT.length()));
            }
        }
        return bytes;
    }

    private static byte[] insert(byte[] bytes, int at, Random random) {
        byte[] inserted = new byte[1 + random.nextInt(8)];
        random.nextBytes(inserted);
        ByteBuffer longer = ByteBuffer.allocate(bytes.length + inserted.length);
        return longer.put(bytes, 0, at).put(inserted).put(bytes, at, bytes.length - at).array();
    }

    private static byte[] delete(byte[] bytes, int at, int count) {
        int rest = Math.max(0, bytes.length - at - count);
        return ByteBuffer.allocate(at + rest).put(bytes, 0, at).put(bytes, bytes.length - rest, rest).array();
    }

    /** A header length near the old one, near a limit, or anything. */
    private static byte[] withLength(byte[] bytes, Random random) {
        if (bytes.length < 8) {
            return bytes;
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long[] limits = {0, bytes.length - 8, 100_000_000, Integer.MAX_VALUE, Long.MAX_VALUE, Long.MIN_VALUE, -1};
        long old = buffer.getLong(0);
        buffer.putLong(0, switch (random.nextInt(3)) {
            case 0 -> old + random.nextInt(9) - 4;
            case 1 -> limits[random.nextInt(limits.length)] + random.nextInt(3) - 1;
            default -> random.nextLong();
        });
        return bytes;
    }

    private static void editDigit(byte[] bytes, int from, Random random) {
        for (int i = 0; i < bytes.length; i++) {
            int at = (from + i) % bytes.length;
            if (at >= 8 && bytes[at] >= '0' && bytes[at] <= '9') {
                bytes[at] = (byte) ('0' + random.nextInt(10));
                return;
            }
        }
    }
}
