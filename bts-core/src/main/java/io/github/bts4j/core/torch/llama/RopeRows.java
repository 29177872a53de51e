package io.github.bts4j.core.torch.llama;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.TensorList;

/**
 * Rotary tables for one kernel call; the caller closes them.
 *
 * @param tensors {@code [cos, sin]}, each {@code [positions, head_dim / 2]} in the model's type, and the mask if there is one
 * @param row the row of the call's first token
 * @param owned whether closing this releases the tables; shared tables live as long as their model
 */
public record RopeRows(TensorList tensors, int row, boolean owned) implements AutoCloseable {
    /**
     * The same tables with a restriction of attention.
     *
     * @param mask bool {@code [batch, 1, sequence, sequence]}, see {@link DocumentMask#of}
     * @return tables for calls over whole sequences; closed by the caller, while this one is still open
     */
    public RopeRows masked(NDArray mask) {
        return new RopeRows(Decoder.CALLS.maskedRope(Autograd.OFF, tensors, mask), row, true);
    }

    @Override
    public void close() {
        if (owned) {
            tensors.close();
        }
    }
}
