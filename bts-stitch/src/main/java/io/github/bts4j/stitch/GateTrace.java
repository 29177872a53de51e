package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import java.util.List;

/**
 * The gates and outputs of one stitch layer for a batch. The tensors belong to the manager of the token ids that were traced.
 *
 * @param stitch the stitch's number, from 0
 * @param gate float32 gate values {@code [batch, sequence, hidden, n + 1]}, hub first; of a Hub-into-Experts layer slice 0 has no effect
 * @param states the streams after the stitch, hub first, each float32 {@code [batch, sequence, hidden]}
 */
public record GateTrace(int stitch, NDArray gate, List<NDArray> states) {
    /**
     * The gate of every model, averaged over the channels: the paper's figures 2 and 3 draw these along the sequence.
     *
     * @param row the sequence in the batch
     * @return weights {@code [sequence][n + 1]}; in an Experts-into-Hub layer each row sums to one
     */
    public float[][] meanOverChannels(int row) {
        long[] shape = gate.getShape().getShape();
        int length = (int) shape[1];
        int channels = (int) shape[2];
        int models = (int) shape[3];
        float[] flat = gate.toFloatArray();
        float[][] mean = new float[length][models];
        for (int t = 0; t < length; t++) {
            for (int model = 0; model < models; model++) {
                double sum = 0;
                for (int c = 0; c < channels; c++) {
                    sum += flat[((row * length + t) * channels + c) * models + model];
                }
                mean[t][model] = (float) (sum / channels);
            }
        }
        return mean;
    }
}
