package io.github.bts4j.core.adapter;

import java.util.Map;
import java.util.Optional;

/**
 * The low-rank part of one module, {@code s B A}, and what belongs to it.
 *
 * @param <T> a tensor, or its location
 * @param a {@code [r, in]}
 * @param b {@code [out, r]}
 * @param magnitude of DoRA, the length of each row of the module's matrix {@code [out]}
 * @param bias B's own bias {@code [out]}, which is scaled too
 * @param scaling s
 * @param isEmbedding whether the module is a table: its matrix {@code W [out, in]} is stored transposed, a row for each token
 */
public record LowRank<T>(T a, T b, Optional<T> magnitude, Optional<T> bias, double scaling, boolean isEmbedding) {
    /**
     * The same with tensors for their places, or the other way round.
     *
     * @param <U> the other kind
     * @param others what each is replaced by
     * @return the low-rank part
     */
    public <U> LowRank<U> map(Map<T, U> others) {
        return new LowRank<>(others.get(a), others.get(b), magnitude.map(others::get), bias.map(others::get), scaling, isEmbedding);
    }
}
