package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.util.Map;

/** Trains the stitch layers of a stitched model; the base models stay frozen. It closes nothing. */
public final class StitchTraining implements Trainable {
    private final StitchedModel model;
    private final Map<String, String> identity;
    private ActivationCheckpointing checkpointing = ActivationCheckpointing.OFF;

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
        return model.accumulateGradients(tokens, tokenWeight, seed, checkpointing);
    }

    /**
     * Sets what becomes of the activations of a pass; a block is the layers of one stream between two stitches.
     *
     * @param checkpointing which activations are kept, and which are computed again
     * @return this training
     */
    public StitchTraining withCheckpointing(ActivationCheckpointing checkpointing) {
        this.checkpointing = checkpointing;
        return this;
    }

    @Override
    public void weightsChanged() {
        model.weightsChanged();
    }

    @Override
    public Map<String, String> identity() {
        return identity;
    }
}
