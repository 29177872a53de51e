package io.github.bts4j.core.rows;
import io.github.bts4j.core.support.ElementType;


/** The reference: plain loops that follow the equations. {@code -Dbts4j.decode=scalar} decodes with it. */
final class ScalarArithmetic implements Arithmetic {
    @Override
    public boolean isUsable() {
        return true;
    }

    @Override
    public void prepare(ElementType type) {
        // plain loops are fast enough before they are compiled
    }

    @Override
    public Matrix matrix(Elements elements) {
        return new ScalarMatrix(elements);
    }

    @Override
    public Matrix matrix(Blocks blocks) {
        return new ScalarMatrix(blocks);
    }

    @Override
    public void exp(float[] x, int from, int to) {
        for (int i = from; i < to; i++) {
            x[i] = exp(x[i]);
        }
    }

    private static float exp(float x) {
        float value = (float) Math.exp(x);
        return value < Float.MIN_NORMAL ? 0 : value;
    }

    @Override
    public void rmsNorm(float[] x, float[] weight, float eps, Rounding rounding, float[] into) {
        double squares = 0;
        for (int i = 0; i < weight.length; i++) {
            squares += (double) x[i] * x[i];
        }
        float scale = (float) (1 / Math.sqrt((float) (squares / weight.length) + eps));
        for (int i = 0; i < weight.length; i++) {
            into[i] = rounding.round(rounding.round(x[i] * scale) * weight[i]);
        }
    }

    @Override
    public void round(Rounding rounding, float[] x, int from, int to) {
        for (int i = from; i < to; i++) {
            x[i] = rounding.round(x[i]);
        }
    }

    @Override
    public void add(Rounding rounding, float[] sum, float[] x, int from, int to) {
        for (int i = from; i < to; i++) {
            sum[i] = rounding.round(sum[i] + x[i]);
        }
    }

    @Override
    public void swiGlu(Rounding rounding, float[] gate, float[] up, int from, int to) {
        for (int i = from; i < to; i++) {
            gate[i] = rounding.round(rounding.round(gate[i] / (1 + exp(-gate[i]))) * up[i]);
        }
    }

    @Override
    public void softmax(float[] x, int length, float scale) {
        float largest = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < length; i++) {
            largest = Math.max(largest, x[i]);
        }
        double sum = 0;
        for (int i = 0; i < length; i++) {
            x[i] = exp((x[i] - largest) * scale);
            sum += x[i];
        }
        for (int i = 0; i < length; i++) {
            x[i] = (float) (x[i] / sum);
        }
    }

    @Override
    public void rotate(Rounding rounding, float[] x, int at, float[] cosSin) {
        int half = cosSin.length / 2;
        for (int i = 0; i < half; i++) {
            float a = x[at + i];
            float b = x[at + half + i];
            x[at + i] = rounding.round(rounding.round(a * cosSin[i]) - b * cosSin[half + i]);
            x[at + half + i] = rounding.round(rounding.round(b * cosSin[i]) + a * cosSin[half + i]);
        }
    }
}
