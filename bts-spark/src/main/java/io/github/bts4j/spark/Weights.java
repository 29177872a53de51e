package io.github.bts4j.spark;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.train.optim.FlatTensors;
import java.io.Serializable;
import java.util.Collection;
import java.util.UUID;

/**
 * The trained tensors' values at some step, as they are sent to executors. Arrays are not copied.
 *
 * @param version unlike any other
 * @param pieces the vector of all components, in parts of equal size but the last
 */
record Weights(String version, byte[][] pieces) implements Serializable {
    private static final int PIECE = 16 << 20; // components

    static Weights of(Collection<NDArray> tensors) {
        FlatTensors flat = FlatTensors.of(tensors);
        byte[][] pieces = new byte[Math.toIntExact((flat.size() + PIECE - 1) / PIECE)][];
        for (int i = 0; i < pieces.length; i++) {
            pieces[i] = flat.read((long) i * PIECE, Math.min(flat.size(), (i + 1L) * PIECE));
        }
        return new Weights(UUID.randomUUID().toString(), pieces);
    }

    void writeTo(Collection<NDArray> tensors) {
        FlatTensors flat = FlatTensors.of(tensors);
        for (int i = 0; i < pieces.length; i++) {
            flat.write((long) i * PIECE, pieces[i]);
        }
    }
}
