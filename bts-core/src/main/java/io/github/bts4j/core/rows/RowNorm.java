package io.github.bts4j.core.rows;

import java.util.Arrays;

/**
 * RMSNorm as a model rounds it.
 *
 * @param math the arithmetic
 * @param rounding how results are rounded
 * @param eps what is added to the mean square
 * @param once whether only the product with the weight is rounded, and not what it multiplies
 */
record RowNorm(Arithmetic math, Rounding rounding, float eps, boolean once) {
    void of(float[] x, float[] weight, float[] into) {
        math.rmsNorm(x, weight, eps, once ? Rounding.NONE : rounding, into);
        if (once) {
            math.round(rounding, into, 0, weight.length);
        }
    }

    /** Of as many values as weights, from an index on. */
    void inPlace(float[] x, int at, float[] weight) {
        float[] part = Arrays.copyOfRange(x, at, at + weight.length);
        of(part, weight, part);
        System.arraycopy(part, 0, x, at, weight.length);
    }
}
