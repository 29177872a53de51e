package io.github.bts4j.core.rows;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.support.ElementType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Products, sums and exponentials against plain loops in double precision, at all lengths around a vector's. */
@EnabledIfSystemProperty(named = "bts4j.decode", matches = "scalar|vector")
class ArithmeticTest {
    private static final int ROWS = 37;

    private final Arithmetic math = Arithmetic.available().orElseThrow();

    /** As before every use. */
    @BeforeAll
    static void prepare() {
        List.of(ElementType.FLOAT32, ElementType.BFLOAT16, ElementType.INT8).forEach(Arithmetic.available().orElseThrow()::prepare);
    }

    static Stream<Arguments> shapes() {
        return Stream.of(ElementType.FLOAT32, ElementType.BFLOAT16, ElementType.INT8)
                .flatMap(type -> IntStream.of(1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 48, 63, 64, 65, 66, 67, 96, 127, 130, 576, 1537).mapToObj(columns -> Arguments.of(type, columns)));
    }

    private static void fill(float[] values, DoubleSupplier next) {
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) next.getAsDouble();
        }
    }

    /** Not at the memory's start: rows of odd lengths have no alignment anyway. */
    private Matrix matrix(ElementType type, int columns, SplittableRandom random) {
        int before = 3 * type.bytes();
        ByteBuffer bytes = ByteBuffer.allocateDirect(before + ROWS * columns * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        float[] scales = new float[type == ElementType.INT8 ? ROWS : 0];
        fill(scales, () -> random.nextDouble(0.01, 0.1));
        Elements elements = new Elements(bytes, type, before, columns, scales);
        float[] row = new float[columns];
        for (int r = 0; r < ROWS; r++) {
            fill(row, () -> Rounding.BFLOAT16.round((float) random.nextDouble(-1, 1)));
            if (type == ElementType.INT8) {
                for (int c = 0; c < columns; c++) {
                    bytes.put((int) elements.rowOffset(r) + c, (byte) random.nextInt(-128, 128));
                }
            } else {
                elements.set(r, row, 0);
            }
        }
        return math.matrix(elements);
    }

    @ParameterizedTest(name = "{0}, {1} columns")
    @MethodSource("shapes")
    void productsAreThoseOfLoopsInDouble(ElementType type, int columns) {
        SplittableRandom random = new SplittableRandom(columns);
        Matrix w = matrix(type, columns, random);
        for (int sessions : new int[] {1, 2, 4, 5, 9}) {
            float[][] x = new float[sessions][columns];
            for (float[] vector : x) {
                fill(vector, () -> random.nextDouble(-1, 1));
            }
            checkProducts(w, w, 3, ROWS, x);
            for (int rows : new int[] {1, 16, 31, 32, 33, ROWS}) {
                checkProducts(w, w.repacked(rows), 0, rows, x);
            }
            checkProducts(w, w.repacked(ROWS), 32, ROWS, x);
            checkProducts(w, w.repacked(ROWS), 0, 32, x);
        }
    }

    /** Rows of {@code held}, which is w or a copy of it; what lies around them is not touched. */
    private void checkProducts(Matrix w, Matrix held, int from, int to, float[][] x) {
        int columns = w.columns();
        float[][] packed = new float[x.length][columns + 3];
        for (int s = 0; s < x.length; s++) {
            Arrays.fill(packed[s], Float.NaN); // what an earlier vector may have left there
            held.pack(x[s], 0, columns, packed[s]);
        }
        float[][] y = new float[x.length][ROWS + 3];
        held.matmul(from, to, packed, y, 2);
        for (int s = 0; s < x.length; s++) {
            for (int r = -2; r <= ROWS; r++) {
                double exact = 0;
                double size = 0;
                for (int c = 0; r >= from && r < to && c < columns; c++) {
                    exact += (double) w.elements().get(r, c) * x[s][c];
                    size += Math.abs((double) w.elements().get(r, c) * x[s][c]);
                }
                assertEquals(exact, y[s][r + 2], Tolerance.ofSum(Tolerance.FLOAT32, columns, size, exact), "session " + s + ", row " + r + " of " + from + " to " + to);
            }
        }
    }

    @ParameterizedTest(name = "{0}, {1} columns")
    @MethodSource("shapes")
    void aSessionsProductsDoNotDependOnTheOthersNorOnTheRange(ElementType type, int columns) {
        SplittableRandom random = new SplittableRandom(columns);
        Matrix w = matrix(type, columns, random);
        checkIndependence(w, 20, random);
        checkIndependence(w.repacked(ROWS), 32, random);
    }

    private void checkIndependence(Matrix w, int split, SplittableRandom random) {
        float[][] x = new float[7][Matrix.room(w.columns())];
        for (float[] vector : x) {
            float[] values = new float[w.columns()];
            fill(values, () -> random.nextDouble(-1, 1));
            w.pack(values, 0, values.length, vector);
        }
        float[][] together = new float[7][ROWS];
        w.matmul(0, split, x, together, 0);
        w.matmul(split, ROWS, x, together, 0);
        for (int s = 0; s < 7; s++) {
            float[][] alone = new float[1][ROWS];
            w.matmul(0, ROWS, new float[][] {x[s]}, alone, 0);
            assertArrayEquals(alone[0], together[s], "session " + s);
        }
    }

    @ParameterizedTest(name = "{0}, {1} columns")
    @MethodSource("shapes")
    void weightedSumsAreThoseOfLoopsInDouble(ElementType type, int columns) {
        if (type == ElementType.INT8) {
            return; // caches are never int8
        }
        SplittableRandom random = new SplittableRandom(columns);
        Matrix w = matrix(type, columns, random);
        float[] p = new float[ROWS];
        fill(p, random::nextDouble);
        float[] y = new float[columns + 1];
        w.weightedSum(30, p, y, 1);
        for (int c = 0; c < columns; c++) {
            double exact = 0;
            double size = 0;
            for (int r = 0; r < 30; r++) {
                exact += (double) p[r] * w.elements().get(r, c);
                size += Math.abs((double) p[r] * w.elements().get(r, c));
            }
            assertEquals(exact, y[c + 1], Tolerance.ofSum(Tolerance.FLOAT32, 30, size, exact));
        }
        assertEquals(0, y[0]);
    }

    /** Several sums have the bits of each one by itself; nothing is written beside them. */
    @ParameterizedTest(name = "{0}, {1} columns")
    @MethodSource("shapes")
    void severalWeightedSumsAreThoseOfEach(ElementType type, int columns) {
        if (type == ElementType.INT8) {
            return;
        }
        SplittableRandom random = new SplittableRandom(columns + 1);
        Matrix w = matrix(type, columns, random);
        for (int sums = 1; sums <= 5; sums++) {
            float[][] p = new float[sums][ROWS];
            float[] expected = new float[sums * columns + 2];
            for (int s = 0; s < sums; s++) {
                fill(p[s], random::nextDouble);
                w.weightedSum(30, p[s], expected, 1 + s * columns);
            }
            float[] found = new float[expected.length];
            w.weightedSums(30, p, found, 1);
            assertArrayEquals(expected, found, sums + " sums");
        }
    }

    /** Columns from 32 on are added to what is there; the others stay. */
    @ParameterizedTest(name = "{0}, {1} columns")
    @MethodSource("shapes")
    void addedSumsAreThoseOfLoopsInDouble(ElementType type, int columns) {
        if (type == ElementType.INT8 || columns <= Matrix.SHARE) {
            return;
        }
        SplittableRandom random = new SplittableRandom(columns + 2);
        Matrix w = matrix(type, columns, random);
        float[] p = new float[ROWS];
        fill(p, random::nextDouble);
        float[] y = new float[columns];
        fill(y, random::nextDouble);
        float[] before = y.clone();
        w.addWeightedSum(16, p, Matrix.SHARE, columns - 1, y);
        for (int c = 0; c < columns; c++) {
            double exact = before[c];
            double size = Math.abs(exact);
            for (int r = 0; r < 16 && c >= Matrix.SHARE && c < columns - 1; r++) {
                exact += (double) p[r] * w.elements().get(r, c);
                size += Math.abs((double) p[r] * w.elements().get(r, c));
            }
            assertEquals(exact, y[c], Tolerance.ofSum(Tolerance.FLOAT32, 17, size, exact), "column " + c);
        }
    }

    @Test
    void exponentialsAreWithinTwoUnitsOfTheLastPlace() {
        float[] x = new float[200_003];
        for (int i = 0; i < x.length; i++) {
            x[i] = -87.3f + i * (88.7f + 87.3f) / x.length;
        }
        float[] y = x.clone();
        math.exp(y, 0, y.length);
        for (int i = 0; i < x.length; i++) {
            double exact = Math.exp(x[i]);
            assertTrue(Math.abs(y[i] - exact) <= 2 * Math.ulp((float) exact), "exp(" + x[i] + ") = " + y[i] + ", not " + exact);
        }
    }

    @Test
    void exponentialsOfWhatHasNone() {
        float[] x = new float[64];
        Arrays.fill(x, Float.NEGATIVE_INFINITY);
        x[1] = -100;
        x[2] = 0;
        x[3] = 100;
        x[4] = Float.POSITIVE_INFINITY;
        x[5] = Float.NaN;
        math.exp(x, 0, x.length);
        assertArrayEquals(new float[] {0, 0, 1, Float.POSITIVE_INFINITY, Float.POSITIVE_INFINITY, Float.NaN, 0}, Arrays.copyOf(x, 7));
    }
}
