package io.github.bts4j.core.generate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The candidates for the next token, with weights proportional to their probabilities; the most likely has weight 1. Arrays are reused between steps. The valid
 * entries are those from {@code first} to {@code end}.
 */
final class Candidates {

    private int[] ids = {};
    private double[] weights = {};
    private float[] largest = {};
    private int first;
    private int end;

    /** All tokens with {@code logit >= threshold} and a weight {@code exp((logit - max) / temperature)} that is not 0, in the order of their ids. */
    void gather(float[] logits, float max, float threshold, double temperature) {
        if (ids.length < logits.length) {
            ids = new int[logits.length];
            weights = new double[logits.length];
        }
        first = 0;
        end = 0;
        for (int id = 0; id < logits.length; id++) {
            if (logits[id] >= threshold) {
                double weight = Math.exp(((double) logits[id] - max) / temperature);
                if (weight > 0) {
                    ids[end] = id;
                    weights[end++] = weight;
                }
            }
        }
    }

    /** The k-th largest value, found by a heap of the k largest so far whose root is the smallest of them. */
    float kthLargest(float[] values, int k) {
        if (largest.length < k) {
            largest = new float[k];
        }
        System.arraycopy(values, 0, largest, 0, k);
        for (int i = k / 2 - 1; i >= 0; i--) {
            sinkSmallest(largest[i], i, k);
        }
        for (int i = k; i < values.length; i++) {
            if (values[i] > largest[0]) {
                sinkSmallest(values[i], 0, k);
            }
        }
        return largest[0];
    }

    /** Keeps the most likely tokens until they have a share {@code topP} of the weight; ties go to lower ids. */
    void keepTopP(double topP) {
        double enough = topP * weight();
        int heapEnd = end;
        for (int i = heapEnd / 2 - 1; i >= 0; i--) {
            sinkLikeliest(i, heapEnd);
        }
        double kept = 0;
        while (heapEnd > 0 && kept < enough) {
            kept += weights[0];
            swap(0, --heapEnd);
            sinkLikeliest(0, heapEnd);
        }
        first = heapEnd;
    }

    /** Keeps the tokens at least {@code minP} times as likely as the most likely one. */
    void keepMinP(double minP) {
        int kept = first;
        for (int i = first; i < end; i++) {
            if (weights[i] >= minP) {
                swap(i, kept++);
            }
        }
        end = kept;
    }

    /** The token at a point of the cumulative weights: {@code place} is from 0 (inclusive) to 1 (exclusive). */
    int at(double place) {
        double target = place * weight();
        double passed = 0;
        for (int i = first; i < end; i++) {
            passed += weights[i];
            if (passed > target) {
                return ids[i];
            }
        }
        return ids[end - 1];
    }

    /** The tokens with their probabilities, most likely first, then by id. */
    List<TokenProbability> probabilities() {
        double weight = weight();
        List<TokenProbability> probabilities = new ArrayList<>();
        for (int i = first; i < end; i++) {
            probabilities.add(new TokenProbability(ids[i], weights[i] / weight));
        }
        probabilities.sort(Comparator.comparingDouble(TokenProbability::probability).reversed().thenComparingInt(TokenProbability::id));
        return probabilities;
    }

    private double weight() {
        double sum = 0;
        for (int i = first; i < end; i++) {
            sum += weights[i];
        }
        return sum;
    }

    private void sinkSmallest(float value, int hole, int size) {
        int child;
        while ((child = 2 * hole + 1) < size) {
            if (child + 1 < size && largest[child + 1] < largest[child]) {
                child++;
            }
            if (value <= largest[child]) {
                break;
            }
            largest[hole] = largest[child];
            hole = child;
        }
        largest[hole] = value;
    }

    private void sinkLikeliest(int parent, int size) {
        int child;
        while ((child = 2 * parent + 1) < size) {
            if (child + 1 < size && isLikelier(child + 1, child)) {
                child++;
            }
            if (!isLikelier(child, parent)) {
                return;
            }
            swap(parent, child);
            parent = child;
        }
    }

    private boolean isLikelier(int i, int j) {
        return weights[i] > weights[j] || weights[i] == weights[j] && ids[i] < ids[j];
    }

    private void swap(int i, int j) {
        int id = ids[i];
        double weight = weights[i];
        ids[i] = ids[j];
        weights[i] = weights[j];
        ids[j] = id;
        weights[j] = weight;
    }
}
