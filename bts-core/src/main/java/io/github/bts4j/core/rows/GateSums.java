package io.github.bts4j.core.rows;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** The gate weights of a step, which its workers add up over their shares of the channels. Thread-safe. */
public final class GateSums {
    /** Of a step whose gates nobody wants. */
    public static final GateSums NONE = new GateSums();

    private final SortedMap<Integer, Sums> layers = new TreeMap<>();

    /** Nothing added yet. */
    public GateSums() {}

    private static final class Sums {
        private final double[][] sums; // [tokens][models]
        private int channels;

        Sums(int tokens, int models) {
            sums = new double[tokens][models];
        }
    }

    /**
     * Adds a worker's share of one layer's gates.
     *
     * @param layer number of the layer
     * @param gates gate values {@code [models][tokens][channels]}
     * @param from first channel
     * @param to one past the last channel
     */
    public void add(int layer, float[][][] gates, int from, int to) {
        if (this == NONE || from == to) {
            return;
        }
        int tokens = gates[0].length;
        double[][] part = new double[tokens][gates.length];
        for (int t = 0; t < tokens; t++) {
            for (int i = 0; i < gates.length; i++) {
                double sum = 0;
                for (int c = from; c < to; c++) {
                    sum += gates[i][t][c];
                }
                part[t][i] = sum;
            }
        }
        synchronized (this) {
            Sums all = layers.computeIfAbsent(layer, first -> new Sums(tokens, gates.length));
            all.channels += to - from;
            for (int t = 0; t < tokens; t++) {
                for (int i = 0; i < gates.length; i++) {
                    all.sums[t][i] += part[t][i];
                }
            }
        }
    }

    /**
     * The means over the channels.
     *
     * @param tokens number of tokens of the step
     * @return weights {@code [tokens][layers][models]}
     */
    synchronized float[][][] means(int tokens) {
        float[][][] means = new float[tokens][layers.size()][];
        List<Sums> all = new ArrayList<>(layers.values());
        for (int t = 0; t < tokens; t++) {
            for (int k = 0; k < all.size(); k++) {
                double[] sums = all.get(k).sums[t];
                means[t][k] = new float[sums.length];
                for (int i = 0; i < sums.length; i++) {
                    means[t][k][i] = (float) (sums[i] / all.get(k).channels);
                }
            }
        }
        return means;
    }
}
