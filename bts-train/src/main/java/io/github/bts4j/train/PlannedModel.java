package io.github.bts4j.train;

import io.github.bts4j.core.adapter.Adapter;
import io.github.bts4j.core.adapter.LowRank;
import io.github.bts4j.core.checkpoint.TensorEntry;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A model of a {@link TrainingPlan}: the hub, a full expert, or an adapter of the hub, which computes with the hub's weights in the same memory.
 *
 * @param config the dimensions; of an adapter, those of its base
 * @param parameters weights of its own: of a full model all of them, of an adapter its matrices and the tensors that it replaces
 * @param lowRank weights of an adapter's low-rank matrices by layer; empty for a full model
 * @param sharesLayers whether in decoding its tokens are rows of the hub's own products
 * @param blocks what of its weights stays in ggml's blocks
 */
public record PlannedModel(LlamaConfig config, long parameters, List<Long> lowRank, boolean sharesLayers, StoredBlocks blocks) {
    private static final String LAYERS = "model.layers.";

    /**
     * Copies the list.
     *
     * @param config the dimensions
     * @param parameters weights of its own
     * @param lowRank weights of low-rank matrices by layer
     * @param sharesLayers whether its tokens are rows of the hub's products
     * @param blocks what of its weights stays in ggml's blocks
     */
    public PlannedModel {
        lowRank = List.copyOf(lowRank);
    }

    /**
     * A full model.
     *
     * @param config its configuration
     * @return the model
     */
    public static PlannedModel full(LlamaConfig config) {
        return full(config, StoredBlocks.NONE);
    }

    /**
     * A full model whose quantised matrices are multiplied as they are stored.
     *
     * @param config its configuration
     * @param blocks what stays in ggml's blocks
     * @return the model
     */
    public static PlannedModel full(LlamaConfig config, StoredBlocks blocks) {
        return new PlannedModel(config, LlamaTensors.parameterCount(config), List.of(), false, blocks);
    }

    /**
     * An adapter of the hub. An adapted embedding table or head is merged, and counts as a whole.
     *
     * @param hub the hub's configuration
     * @param adapter the adapter, opened for the hub
     * @return the model
     */
    public static PlannedModel of(LlamaConfig hub, Adapter adapter) {
        List<Long> lowRank = new ArrayList<>(Collections.nCopies(hub.numLayers(), 0L));
        long[] own = {adapter.whole().values().stream().mapToLong(PlannedModel::elements).sum()};
        adapter.modules().forEach((module, part) -> {
            if (module.startsWith(LAYERS)) {
                long matrices = elements(part.a()) + elements(part.b());
                int layer = Integer.parseInt(module.substring(LAYERS.length(), module.indexOf('.', LAYERS.length())));
                lowRank.set(layer, lowRank.get(layer) + matrices);
                own[0] += matrices + vectors(part);
            } else if (!adapter.whole().containsKey(module + ".weight")) {
                own[0] += (long) hub.vocabSize() * hub.hiddenSize();
            }
        });
        return new PlannedModel(hub, own[0], lowRank, adapter.sharesLayers(), StoredBlocks.NONE);
    }

    private static long vectors(LowRank<TensorEntry> part) {
        return part.magnitude().map(PlannedModel::elements).orElse(0L) + part.bias().map(PlannedModel::elements).orElse(0L);
    }

    private static long elements(TensorEntry entry) {
        return entry.shape().stream().reduce(1L, Math::multiplyExact);
    }

    /** {@return whether it is an adapter, which computes with the hub's weights} */
    public boolean isAdapter() {
        return !lowRank.isEmpty();
    }

    /** Weights of low-rank matrices in some layers: each is a multiplication and an addition per token. */
    long lowRank(int from, int to) {
        return isAdapter() ? lowRank.subList(from, to).stream().mapToLong(Long::longValue).sum() : 0;
    }

    /** Bytes of its own weights, where a value that is not in blocks has so many. */
    long bytes(int element) {
        return parameters * element - blocks.saved(element);
    }

    /** Bytes that are read for one token beside those of the hub: of an expert the layers, of an adapter in the hub's layers only what it adds. */
    long readBesideHub(int element) {
        long table = (long) config.vocabSize() * config.hiddenSize();
        long layers = LlamaTensors.parameterCount(config) - (config.tieWordEmbeddings() ? table : 2 * table);
        return (isAdapter() ? lowRank(0, lowRank.size()) : 0) * element + (sharesLayers ? 0 : layers * element - blocks.savedInLayers(element));
    }

    /** Bytes of the hub that are read for one token: all but the embedding table, unless that is the head as well. */
    long readOfHub(int element) {
        return bytes(element) - (config.tieWordEmbeddings() ? 0 : (long) config.vocabSize() * config.hiddenSize() * element - blocks.savedInEmbedding(element));
    }
}
