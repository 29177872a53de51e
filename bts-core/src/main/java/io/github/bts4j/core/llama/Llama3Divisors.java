package io.github.bts4j.core.llama;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.checkpoint.gguf.GgufFile;
import io.github.bts4j.core.checkpoint.gguf.GgufTensor;
import io.github.bts4j.core.llama.rope.RopeScaling;
import java.io.IOException;

/**
 * Recovers the llama3 RoPE scaling from the divisors that llama.cpp stores per frequency. With wavelength w and
 * {@code s = (original / w - low) / (high - low)}, a divisor is 1 where s &ge; 1, the factor where s &le; 0, and {@code 1 / ((1 - s) / factor + s)}
 * between. Only the ratios of original, low and high matter, so original is taken to be 8,192, as in every published model.
 */
final class Llama3Divisors {
    private static final int ORIGINAL = 8192;
    private static final double TOLERANCE = 1e-4;

    private Llama3Divisors() {
    }

    static RopeScaling scaling(GgufFile file, GgufTensor tensor, int headDim, double theta) throws IOException {
        double[] divisors = new double[headDim / 2];
        throwIf(tensor.elements() != divisors.length,
                () -> ModelFormatException.inTensor(file.file(), tensor.name(), "has " + tensor.elements() + " values, a head of " + headDim + " has "
                        + divisors.length + " frequencies"));
        file.dequantize(tensor, (at, values) -> {
            for (int i = 0; i < values.length; i++) {
                divisors[(int) at + i] = values[i];
            }
        });
        RopeScaling.Llama3 found = fit(divisors, headDim, theta);
        double[] plain = RopeScaling.none().inverseFrequencies(headDim, theta, ORIGINAL, 1);
        double[] scaled = found.inverseFrequencies(headDim, theta, ORIGINAL, 1);
        for (int i = 0; i < divisors.length; i++) {
            double actual = plain[i] / scaled[i];
            if (!(Math.abs(actual - divisors[i]) <= TOLERANCE * divisors[i])) {
                throw ModelFormatException.inTensor(file.file(), tensor.name(), "has divisors that do not match any llama3 RoPE scaling: number " + i + " is "
                        + divisors[i] + ", the nearest scaling (" + found + ") has " + actual);
            }
        }
        return found;
    }

    /** A line through s over 1 / w, from the first and the last divisor between 1 and the factor; ends that no divisor determines are between two of them. */
    static RopeScaling.Llama3 fit(double[] divisors, int headDim, double theta) {
        double[] inverse = RopeScaling.none().inverseFrequencies(headDim, theta, ORIGINAL, 1);
        double factor = Math.max(divisors[divisors.length - 1], 1);
        double[] turns = new double[divisors.length]; // original / wavelength
        int first = -1;
        int last = -1;
        for (int i = 0; i < divisors.length; i++) {
            turns[i] = ORIGINAL * inverse[i] / (2 * Math.PI);
            if (divisors[i] > 1 && divisors[i] < factor) {
                first = first < 0 ? i : first;
                last = i;
            }
        }
        int ones = 0;
        while (ones < divisors.length && divisors[ones] <= 1) {
            ones++;
        }
        double above = ones > 0 ? turns[ones - 1] : 2 * turns[0];
        if (first < 0) { // no divisor between: any two ends between the last 1 and the first factor will do
            double below = ones < divisors.length ? turns[ones] : turns[ones - 1] / 2;
            return new RopeScaling.Llama3(factor, below + (above - below) / 3, below + (above - below) * 2 / 3, ORIGINAL);
        }
        double s0 = smoothness(divisors[first], factor);
        if (first == last) {
            double high = (above + turns[first]) / 2;
            return new RopeScaling.Llama3(factor, (turns[first] - s0 * high) / (1 - s0), high, ORIGINAL);
        }
        double slope = (smoothness(divisors[last], factor) - s0) / (turns[last] - turns[first]);
        double low = turns[first] - s0 / slope;
        return new RopeScaling.Llama3(factor, rounded(low), rounded(low + 1 / slope), ORIGINAL);
    }

    private static double smoothness(double divisor, double factor) {
        return (1 / divisor - 1 / factor) / (1 - 1 / factor);
    }

    /** The whole number, if float32 divisors cannot be distinguished from it. */
    private static double rounded(double value) {
        double whole = Math.rint(value);
        return Math.abs(value - whole) < 1e-3 * whole ? whole : value;
    }
}
