package io.github.bts4j.core.checkpoint.gguf;

import java.util.Arrays;

/**
 * The scale of a group of values that are rounded to few bits, as llama.cpp searches for it ({@code make_qx_quants} in ggml-quants.c, with weights x^2): of some scales around the
 * one that the largest value reaches the end of the range with, each is followed by the best fit {@code s = sum w x q / sum w q^2} to the integers that it gives, and that
 * with the smallest error {@code sum w (x - s q)^2} is taken. Not thread-safe.
 */
final class ScaleSearch {
    private static final int STEPS = 9; // to both sides, of a tenth of an integer each
    private static final float LEAST = 1e-15f;

    private final int lowest;
    private final int[] integers;
    private final int[] tried;

    /** For groups of a size, to the integers from -range to range - 1. */
    ScaleSearch(int size, int range) {
        lowest = -range;
        integers = new int[size];
        tried = new int[size];
    }

    /** The integers of the last group. */
    int[] integers() {
        return integers;
    }

    /** The scale of a group. */
    float scale(float[] x, int from) {
        float farthest = 0;
        for (int i = 0; i < integers.length; i++) {
            farthest = Math.abs(x[from + i]) > Math.abs(farthest) ? x[from + i] : farthest;
        }
        if (Math.abs(farthest) < LEAST) {
            Arrays.fill(integers, 0);
            return 0;
        }
        float best = -1;
        float scale = 0;
        for (int step = -STEPS; step <= STEPS; step++) {
            float inverse = (lowest - 0.1f * step) / farthest;
            float xq = 0;
            float qq = 0;
            for (int i = 0; i < tried.length; i++) {
                float value = x[from + i];
                int q = Math.max(lowest, Math.min(-lowest - 1, (int) Math.rint(inverse * value)));
                tried[i] = q;
                float weight = value * value;
                xq += weight * value * q;
                qq += weight * q * q;
            }
            if (qq > 0 && xq * xq / qq > best) { // the error is sum w x^2 less this
                best = xq * xq / qq;
                scale = xq / qq;
                System.arraycopy(tried, 0, integers, 0, tried.length);
            }
        }
        return scale;
    }
}
