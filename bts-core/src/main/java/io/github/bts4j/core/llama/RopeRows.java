package io.github.bts4j.core.llama;

import io.github.bts4j.core.torch.TensorList;

/**
 * Rotary tables for one kernel call; closed by whoever asked for them.
 *
 * @param tensors {@code [cos, sin]}, each {@code [positions, head_dim / 2]} in the model's type
 * @param row the row of the call's first token
 * @param owned whether closing this releases the tables; shared tables live as long as their model
 */
public record RopeRows(TensorList tensors, int row, boolean owned) implements AutoCloseable {
    @Override
    public void close() {
        if (owned) {
            tensors.close();
        }
    }
}
