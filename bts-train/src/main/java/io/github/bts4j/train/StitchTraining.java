package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.stitch.PassOptions;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.util.Map;

/** Trains the stitch layers of a stitched model; the base models stay frozen. It closes nothing. */
public final class StitchTraining implements Trainable {
    private final StitchedModel model;
    private final Map<String, String> identity;
    private PassOptions options = PassOptions.DEFAULT;

    /**
     * Prepares the training of a model's stitch layers.
     *
     * @param model the stitched model
     * @throws IOException if a base model's files cannot be read for their fingerprints
     */
    public StitchTraining(StitchedModel model) throws IOException {
        this.model = model;
        this.identity = StitchCheckpoint.identity(model);
    }

    @Override
    public Map<String, NDArray> parameters() {
        return model.stitchTensors();
    }

    @Override
    public NDManager manager() {
        return model.getNDManager();
    }

    @Override
    public float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed) {
        return model.accumulateGradients(tokens, tokenWeight, seed, options);
    }

    /**
     * Sets how passes are computed.
     *
     * @param options what becomes of activations, whether the streams before the first stitch are cached, and how far attention goes; validation attends to
     *     all of a window
     * @return this training
     */
    public StitchTraining withOptions(PassOptions options) {
        this.options = options;
        return this;
    }

    @Override
    public float[][] tokenLosses(int[][] tokens) {
        return model.tokenLosses(tokens);
    }

    @Override
    public void weightsChanged() {
        model.weightsChanged();
    }

    @Override
    public Map<String, String> identity() {
        return options.documentMask().map(mask -> mask.addTo(identity)).orElse(identity);
    }
}
