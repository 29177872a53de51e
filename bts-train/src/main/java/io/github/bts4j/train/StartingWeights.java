package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.support.Hashes;
import io.github.bts4j.core.torch.Tensors;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Map;
import java.util.TreeMap;

/** The identity of the weights that a training starts from. */
final class StartingWeights {
    /** The entry of {@link Trainable#identity}. */
    static final String NAME = "weights that the training starts from, SHA-256";

    private StartingWeights() {}

    /**
     * Hashes tensors by name, after any rounding.
     *
     * @param weights name to tensor
     * @return SHA-256 in lower-case hexadecimal
     */
    static String sha256(Map<String, NDArray> weights) {
        MessageDigest digest = Hashes.sha256();
        new TreeMap<>(weights).forEach((name, tensor) -> digest.update((name + " " + tensor.getShape() + " " + Tensors.sha256(tensor) + "\n").getBytes(StandardCharsets.UTF_8)));
        return Hashes.hex(digest);
    }
}
