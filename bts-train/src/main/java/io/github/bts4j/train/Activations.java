package io.github.bts4j.train;

import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaModel;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.stitch.StitchConfig;
import java.util.List;

/** What a training pass through a stitched model keeps for its backward pass, counted from what the kernels' operations save. */
final class Activations {
    private final List<LlamaConfig> models;
    private final int element;
    private final long tokens;

    Activations(List<LlamaConfig> models, Precision precision, StitchConfig stitches, TrainerConfig trainer, ActivationCheckpointing checkpointing) {
        this.models = models;
        this.element = precision == Precision.FLOAT32 ? Float.BYTES : Short.BYTES;
        int rows = Math.min(trainer.microBatch(), Math.max(1, 520 / (trainer.sequenceLength() + 1)));
        this.tokens = (long) rows * trainer.sequenceLength();
    }

    long peak() {
        return 0;
    }
}
