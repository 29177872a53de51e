package io.github.bts4j.core.rows;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Operations by elements against plain loops in double precision, at all lengths around a vector's, and in bfloat16 also bit by bit against {@link Rounding} of float32. */
@EnabledIfSystemProperty(named = "bts4j.decode", matches = "scalar|vector")
class ElementwiseTest {
    private final Arithmetic math = Arithmetic.available().orElseThrow();

    static Stream<Arguments> cases() {
        return Arrays.stream(Rounding.values()).flatMap(rounding -> IntStream.of(1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 64, 65, 100, 192).mapToObj(n -> Arguments.of(rounding, n)));
    }

    private static float[] random(int n, Rounding rounding, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = rounding.round((float) random.nextDouble(-4, 4));
        }
        return values;
    }

    /** Half a unit in the last place of the type for each rounding, and float32's own errors. */
    private static double tolerance(Rounding rounding, double value, int roundings) {
        return (rounding == Rounding.BFLOAT16 ? roundings * 0x1p-8 : 1e-6) * Math.abs(value) + 1e-6;
    }

    @Test
    void roundingIsToNearestEven() {
        float[] x = new float[1 << 17];
        for (int i = 0; i < x.length; i++) {
            x[i] = Float.intBitsToFloat((i << 15) + (i % 5 - 2)); // ties, and neighbours of ties, of all signs and exponents, infinities and NaN
        }
        float[] y = x.clone();
        math.round(Rounding.BFLOAT16, y, 3, x.length - 5);
        for (int i = 0; i < x.length; i++) {
            float expected = i < 3 || i >= x.length - 5 ? x[i] : Rounding.BFLOAT16.round(x[i]);
            assertEquals(Float.floatToIntBits(expected), Float.floatToIntBits(y[i]), "of " + x[i]);
        }
        float[] same = x.clone();
        math.round(Rounding.NONE, same, 0, x.length);
        assertArrayEquals(x, same);
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("cases")
    void sums(Rounding rounding, int n) {
        float[] a = random(n + 2, rounding, 1);
        float[] b = random(n + 2, rounding, 2);
        float[] sum = a.clone();
        math.add(rounding, sum, b, 1, n + 1);
        for (int i = 0; i < n + 2; i++) {
            assertEquals(i == 0 || i == n + 1 ? a[i] : rounding.round(a[i] + b[i]), sum[i]);
        }
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("cases")
    void norms(Rounding rounding, int n) {
        float[] x = random(n + 3, rounding, 3);
        float[] weight = random(n, rounding, 4);
        float[] y = new float[n + 1];
        math.rmsNorm(x, weight, 1e-5f, rounding, y);
        double squares = 0;
        for (int i = 0; i < n; i++) {
            squares += (double) x[i] * x[i];
        }
        for (int i = 0; i < n; i++) {
            double exact = x[i] / Math.sqrt(squares / n + 1e-5) * weight[i];
            assertEquals(exact, y[i], tolerance(rounding, exact, 2), "element " + i);
            assertEquals(rounding.round(y[i]), y[i]);
        }
        assertEquals(0, y[n]);
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("cases")
    void swiGlu(Rounding rounding, int n) {
        float[] gate = random(n + 2, rounding, 5);
        float[] up = random(n + 2, rounding, 6);
        float[] y = gate.clone();
        math.swiGlu(rounding, y, up, 1, n + 1);
        for (int i = 0; i < n + 2; i++) {
            double exact = i == 0 || i == n + 1 ? gate[i] : gate[i] / (1 + Math.exp(-gate[i])) * up[i];
            assertEquals(exact, y[i], tolerance(rounding, exact, 2), "element " + i);
        }
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("cases")
    void softmax(Rounding rounding, int n) {
        float[] x = random(n + 1, rounding, 7);
        float[] y = x.clone();
        math.softmax(y, n, 0.7f);
        double sum = 0;
        for (int i = 0; i < n; i++) {
            sum += Math.exp(0.7 * x[i]);
        }
        for (int i = 0; i < n; i++) {
            assertEquals(Math.exp(0.7 * x[i]) / sum, y[i], 2e-6, "element " + i);
        }
        assertEquals(x[n], y[n]);
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("cases")
    void rotations(Rounding rounding, int half) {
        float[] x = random(2 * half + 2, rounding, 8);
        float[] cosSin = new float[2 * half];
        for (int i = 0; i < half; i++) {
            cosSin[i] = rounding.round((float) Math.cos(i + 1));
            cosSin[half + i] = rounding.round((float) Math.sin(i + 1));
        }
        float[] y = x.clone();
        math.rotate(rounding, y, 1, cosSin);
        for (int i = 0; i < half; i++) {
            double a = x[1 + i];
            double b = x[1 + half + i];
            double size = Math.abs(a) + Math.abs(b);
            assertEquals(a * cosSin[i] - b * cosSin[half + i], y[1 + i], tolerance(rounding, size, 2), "first of pair " + i);
            assertEquals(b * cosSin[i] + a * cosSin[half + i], y[1 + half + i], tolerance(rounding, size, 2), "second of pair " + i);
            assertEquals(rounding.round(y[1 + i]), y[1 + i]);
        }
        assertEquals(x[0], y[0]);
        assertEquals(x[2 * half + 1], y[2 * half + 1]);
    }

    /** The same values at another place among the lanes, or beyond the last whole vector, are the same bits. */
    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("cases")
    void aValueDoesNotDependOnWhereItLies(Rounding rounding, int n) {
        float[] gate = random(n, rounding, 9);
        float[] up = random(n, rounding, 10);
        float[] whole = gate.clone();
        math.swiGlu(rounding, whole, up, 0, n);
        float[] single = gate.clone();
        for (int i = 0; i < n; i++) {
            math.swiGlu(rounding, single, up, i, i + 1);
        }
        assertArrayEquals(whole, single);
    }
}
