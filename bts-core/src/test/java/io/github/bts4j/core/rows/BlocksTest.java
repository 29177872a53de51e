package io.github.bts4j.core.rows;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.bts4j.core.checkpoint.SafetensorsFile;
import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import io.github.bts4j.core.checkpoint.gguf.GgufFile;
import io.github.bts4j.core.checkpoint.gguf.GgufTensor;
import io.github.bts4j.core.golden.Tolerance;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Products with matrices in ggml's blocks against loops in double precision over the values that the Python package gguf makes of the same blocks. */
@EnabledIfSystemProperty(named = "bts4j.decode", matches = "scalar|vector")
class BlocksTest {
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"), "gguf");
    private static final int ROWS = 37;
    /**
     * A value is s q + m, and s q and m are summed on their own. In a group of random values, which nearly all reach the ends of their range, neither is more
     * than six times the largest value: of 4 bits, q s is at most 15 s, and the largest at least 7 s.
     */
    private static final int LARGEST_PART = 6;

    private final Arithmetic math = Arithmetic.available().orElseThrow();

    static Stream<GgmlType> types() {
        return Arrays.stream(GgmlType.values()).filter(GgmlType::isMultiplied);
    }

    /** A matrix of the golden file, behind some other bytes, and its values. */
    private record Golden(Blocks blocks, int rows, float[] values) {
        static Golden of(GgmlType type) throws IOException {
            GgufTensor tensor = GgufFile.open(DATA.resolve("types.gguf")).tensors().get(type.name().toLowerCase(Locale.ROOT));
            SafetensorsFile golden = SafetensorsFile.open(DATA.resolve("types.safetensors"));
            float[] values = new float[(int) tensor.elements()];
            golden.read(golden.entry(tensor.name())).asFloatBuffer().get(values);
            byte[] stored = new byte[(int) tensor.length()];
            try (RandomAccessFile in = new RandomAccessFile(tensor.file().toFile(), "r")) {
                in.seek(tensor.offset());
                in.readFully(stored);
            }
            ByteBuffer bytes = ByteBuffer.allocateDirect(stored.length + 6).order(ByteOrder.LITTLE_ENDIAN).put(6, stored);
            return new Golden(new Blocks(bytes, type, 6, tensor.shape().get(1).intValue()), tensor.shape().get(0).intValue(), values);
        }

        /** The largest value of those that share scales with a value. */
        double largest(int at) {
            int group = blocks.type() == GgmlType.Q6_K ? 16 : 32;
            double largest = 0;
            for (int i = at / group * group; i < (at / group + 1) * group; i++) {
                largest = Math.max(largest, Math.abs(values[i]));
            }
            return largest;
        }
    }

    private static float[] vector(int length, SplittableRandom random) {
        float[] x = new float[length];
        for (int i = 0; i < length; i++) {
            x[i] = (float) random.nextDouble(-1, 1);
        }
        return x;
    }

    @ParameterizedTest
    @MethodSource("types")
    void productsAreThoseOfTheValues(GgmlType type) throws IOException {
        Golden golden = Golden.of(type);
        math.prepare(type);
        Matrix w = math.matrix(golden.blocks);
        int columns = w.columns();
        for (int sessions : new int[] {1, 2, 5}) {
            float[][] x = new float[sessions][];
            float[][] packed = new float[sessions][Matrix.room(columns)];
            for (int s = 0; s < sessions; s++) {
                x[s] = vector(columns, new SplittableRandom(s));
                Arrays.fill(packed[s], Float.NaN); // what an earlier vector may have left there
                w.pack(x[s], 0, columns, packed[s]);
            }
            for (int from : new int[] {0, 1, 2}) {
                float[][] y = new float[sessions][golden.rows + 2];
                w.matmul(from, golden.rows, packed, y, 1);
                for (int s = 0; s < sessions; s++) {
                    assertEquals(0, y[s][0]);
                    for (int r = from; r < golden.rows; r++) {
                        check(golden, r, x[s], y[s][1 + r]);
                    }
                }
            }
        }
    }

    private static void check(Golden golden, int row, float[] x, float actual) {
        double exact = 0;
        double size = 0;
        for (int c = 0; c < x.length; c++) {
            int at = row * x.length + c;
            exact += (double) golden.values[at] * x[c];
            size += LARGEST_PART * golden.largest(at) * Math.abs(x[c]);
        }
        assertEquals(exact, actual, Tolerance.ofSum(Tolerance.FLOAT32, x.length, size, exact), golden.blocks.type() + ", row " + row);
    }

    @ParameterizedTest
    @MethodSource("types")
    void aSessionsProductsDoNotDependOnTheOthersNorOnTheRange(GgmlType type) {
        SplittableRandom random = new SplittableRandom(type.ordinal());
        int columns = 768;
        byte[] stored = new byte[(int) type.byteCount((long) ROWS * columns)];
        random.nextBytes(stored);
        for (int at = 0; at < stored.length; at += type.blockBytes()) { // float16 numbers below 1
            for (int scale : type == GgmlType.Q6_K ? new int[] {209} : new int[] {1, 3}) {
                stored[at + scale] &= 0x1F;
            }
        }
        Matrix w = math.matrix(new Blocks(ByteBuffer.allocateDirect(stored.length).order(ByteOrder.LITTLE_ENDIAN).put(0, stored), type, 0, columns));
        float[][] x = new float[7][Matrix.room(columns)];
        for (float[] each : x) {
            w.pack(vector(columns, random), 0, columns, each);
        }
        float[][] together = new float[7][ROWS];
        w.matmul(0, 20, x, together, 0);
        w.matmul(20, ROWS, x, together, 0);
        for (int s = 0; s < 7; s++) {
            float[][] alone = new float[1][ROWS];
            w.matmul(0, ROWS, new float[][] {x[s]}, alone, 0);
            assertArrayEquals(alone[0], together[s], "session " + s);
            float[][] later = new float[1][ROWS - 5];
            w.from(5).matmul(0, ROWS - 5, new float[][] {x[s]}, later, 0);
            assertArrayEquals(Arrays.copyOfRange(alone[0], 5, ROWS), later[0], "session " + s);
        }
    }
}
