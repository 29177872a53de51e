package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.DocumentRows;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.baseline.UpcycledConfig;
import io.github.bts4j.stitch.baseline.UpcycledModel;
import io.github.bts4j.stitch.baseline.UpcycledWeights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Trains an upcycled mixture, Branch-Train-MiX or BAM: all of its weights, or with adapters those and the routers. The weights are float32 copies; the original models
 * are not changed.
 *
 * <p>Not thread-safe.
 */
public final class UpcycledTraining extends OwningTraining {
    private final UpcycledConfig config;
    private final Map<String, NDArray> tensors;
    private final UpcycledWeights weights;
    private final Map<String, String> identity = new LinkedHashMap<>();
    private boolean mixed;

    /** A computation with the weights of a pass. */
    private interface Pass<R> {
        R run(UpcycledWeights weights);
    }

    /**
     * Upcycles models.
     *
     * @param config the mixture's shape
     * @param models one model per expert, the seed first; only read
     * @throws IOException if a model's files cannot be read for their fingerprints
     * @throws IllegalArgumentException if the number of models or the dimensions of one are wrong
     * @throws IllegalStateException if the weights of a model are quantised
     */
    public UpcycledTraining(UpcycledConfig config, List<LlamaModel> models) throws IOException {
        super(Torch.manager().newSubManager(models.get(0).device()));
        this.config = new UpcycledConfig(config.base().withDtype(Precision.FLOAT32), config.experts(), config.topOne(), config.attentionExperts(), config.adapters());
        identity.put("mixture", this.config.toString());
        try {
            for (int i = 0; i < models.size(); i++) {
                String name = i + ":" + config.experts().get(Math.min(i, config.experts().size() - 1));
                models.get(i).fingerprint().files().forEach((file, hash) -> identity.put(name + "/" + file, hash));
            }
            this.tensors = UpcycledWeights.upcycle(config, models, manager());
            this.weights = new UpcycledWeights(config, tensors, manager(), ElementType.FLOAT32);
            identity.put(StartingWeights.NAME, StartingWeights.sha256(tensors));
        } catch (IOException | RuntimeException e) {
            manager().close();
            throw e;
        }
    }

    @Override
    public Map<String, NDArray> parameters() {
        Map<String, NDArray> trained = new LinkedHashMap<>(tensors);
        trained.keySet().removeIf(name -> !config.isTrained(name));
        return trained;
    }

    @Override
    @SuppressWarnings("try") // the lease is only held
    public float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed) {
        try (Lifetime.Lease use = use(); NDManager step = manager().newSubManager()) {
            return pass(step, Autograd.ON, typed -> typed.accumulateGradients(step, tokens, tokenWeight, seed));
        }
    }

    @Override
    @SuppressWarnings("try") // the lease is only held
    public float[] accumulateGradients(DocumentRows rows, float tokenWeight, long seed) {
        try (Lifetime.Lease use = use(); NDManager step = manager().newSubManager()) {
            return pass(step, Autograd.ON, typed -> typed.accumulateGradients(step, rows, tokenWeight, seed));
        }
    }

    @Override
    @SuppressWarnings("try") // the lease is only held
    public float[][] tokenLosses(int[][] tokens) {
        try (Lifetime.Lease use = use(); NDManager step = manager().newSubManager()) {
            return pass(step, Autograd.OFF, typed -> TokenBatch.rows(typed.tokenLosses(step, tokens).toFloatArray(), tokens.length));
        }
    }

    private <R> R pass(NDManager step, Autograd mode, Pass<R> pass) {
        if (!mixed) {
            return pass.run(weights);
        }
        try (UpcycledWeights rounded = new UpcycledWeights(config, MixedPrecision.rounded(step, mode, tensors, config::isTrained), step, MixedPrecision.TYPE)) {
            return pass.run(rounded);
        }
    }

    /**
     * Computes each pass in bfloat16, from the float32 weights rounded again: see {@link ExpertTraining#withMixedPrecision}.
     *
     * @return this training
     */
    public UpcycledTraining withMixedPrecision() {
        mixed = true;
        MixedPrecision.identify(identity);
        return this;
    }

    @Override
    public Map<String, String> identity() {
        return Map.copyOf(identity);
    }

    /**
     * Writes the mixture as a checkpoint for {@link UpcycledModel#open}.
     *
     * @param folder the folder, made if absent
     * @throws IOException if writing fails; each file is written atomically
     */
    @SuppressWarnings("try") // the lease is only held
    public void save(Path folder) throws IOException {
        try (Lifetime.Lease use = use()) {
            UpcycledModel.save(folder, config, tensors);
        }
    }

    @Override
    void releaseArguments() {
        weights.close();
    }
}
