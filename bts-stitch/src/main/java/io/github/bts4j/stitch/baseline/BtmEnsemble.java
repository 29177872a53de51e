package io.github.bts4j.stitch.baseline;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.CachedSession;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeEngine;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Branch-Train-Merge's ensemble (arXiv 2208.03306, section 2.3; arXiv 2502.00075, section 3.2): the models' output
 * probabilities, weighted by Bayes' rule from a uniform prior and the likelihood that each model gave to the prefix:
 *
 * <pre>{@code p(x_t+1 | x_0..t) = sum_i w_i p_i(x_t+1 | x_0..t),   w_i ~ prod_{s=1..t} p_i(x_s | x_0..s-1)}</pre>
 *
 * Its "logits" are log-probabilities. No training, no routing: every model runs for every token. With {@link #withTopK} only the
 * models of highest weight are mixed, chosen at each token, as in the sparse ensembles of arXiv 2303.14177; all models still run,
 * since the posterior needs their predictions of every token. Thread-safe for reading. The caller owns the models.
 */
public final class BtmEnsemble extends FrozenLm {
    private static final BtmKernels KERNELS = Kernels.of(BtmKernels.class);

    private final List<FrozenLm> models;
    private final int topK;
    private final BtmEngine engine;
    private final List<DecodeEngine<BtmEngine.State>> engines;

    /**
     * Creates an ensemble.
     *
     * @param models models of one vocabulary on one device, at least one
     * @throws IllegalArgumentException if there is no model, or the vocabularies differ in size
     */
    public BtmEnsemble(List<? extends FrozenLm> models) {
        this(models, models.size());
    }

    private BtmEnsemble(List<? extends FrozenLm> models, int topK) {
        super("btm", Torch.manager().newSubManager(models.isEmpty() ? ai.djl.Device.cpu() : models.get(0).device()),
                models.stream().map(FrozenLm::lifetime).toArray(Lifetime[]::new));
        this.models = List.copyOf(models);
        this.topK = topK;
        this.engine = new BtmEngine(this.models, topK);
        this.engines = List.of(engine);
        if (models.isEmpty() || models.stream().mapToInt(CausalLm::vocabSize).distinct().count() != 1) {
            close();
            throw new IllegalArgumentException("An ensemble needs models with the same vocabulary; sizes are "
                    + models.stream().map(CausalLm::vocabSize).toList());
        }
    }

    /**
     * An ensemble that mixes, at each token, only the k models with the highest posterior weights, renormalised. Ties go to the
     * earlier model, so that the first token comes from the first k models.
     *
     * @param k number of models to mix; the number of all models gives the exact mixture
     * @return an ensemble over the same models, which the caller closes
     * @throws IllegalArgumentException if k is below 1 or above the number of models
     */
    public BtmEnsemble withTopK(int k) {
        throwIf(k < 1 || k > models.size(),
                () -> new IllegalArgumentException("k = " + k + " is outside 1 .. " + models.size() + ", the number of models"));
        return new BtmEnsemble(models, k);
    }

    /** {@return k, the number of models that are mixed at each token; the number of all models if the mixture is exact} */
    public int topK() {
        return topK;
    }

    @Override
    public int vocabSize() {
        return models.get(0).vocabSize();
    }

    @Override
    public Set<Integer> endTokens() {
        return models.get(0).endTokens();
    }

    @Override
    public int contextLength() {
        return models.stream().mapToInt(CausalLm::contextLength).min().orElseThrow();
    }

    @Override
    @SuppressWarnings("try") // the lease is only held
    public NDArray forward(NDArray tokenIds) {
        TokenBatch.checked(tokenIds, vocabSize());
        try (Lifetime.Lease use = lifetime().use(); NDManager scope = manager.newSubManager()) {
            List<NDArray> logits = new ArrayList<>();
            for (FrozenLm model : models) {
                NDArray found = model.forward(tokenIds);
                found.attach(scope);
                logits.add(found);
            }
            return KERNELS.mixture(tokenIds.getManager(), Autograd.OFF, logits, tokenIds, topK);
        }
    }

    @Override
    protected NDArray tokenLosses(NDManager step, int[][] tokens) {
        List<float[][]> losses = new ArrayList<>();
        for (FrozenLm model : models) {
            losses.add(model.tokenLosses(tokens));
        }
        int width = tokens[0].length - 1;
        float[] mixed = new float[tokens.length * width];
        for (int row = 0; row < tokens.length; row++) {
            Posterior posterior = new Posterior(models.size(), topK);
            for (int t = 0; t < width; t++) {
                double[] logLikelihood = new double[models.size()];
                for (int i = 0; i < logLikelihood.length; i++) {
                    logLikelihood[i] = -losses.get(i)[row][t];
                }
                mixed[row * width + t] = (float) -posterior.logMixture(logLikelihood);
                posterior.observe(logLikelihood);
            }
        }
        return step.create(mixed);
    }

    @Override
    protected CachedSession<?> openSession(int capacity) {
        return new CachedSession<>(this, lifetime(), engines, capacity, engine::state);
    }
}
