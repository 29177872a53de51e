package io.github.bts4j.train.optim;

import io.github.bts4j.core.support.Problems;
import java.io.Serializable;

/**
 * Constants of AdamW (Loshchilov and Hutter, arXiv 1711.05101), with torch.optim's meaning.
 *
 * @param beta1 decay of the first moment, in {@code [0, 1)}
 * @param beta2 decay of the second moment, in {@code [0, 1)}
 * @param eps added to the bias-corrected root of the second moment, positive
 * @param weightDecay decoupled decay of matrices per unit of learning rate, not negative; vectors (norms, biases) do not decay
 * @param epsilonPolicy the use of eps; {@link EpsilonPolicy#ADD} is torch.optim's
 * @param updateClipping whether a tensor's learning rate is divided by {@code max(1, sqrt(mean(g^2 / max(v^, eps^2))))}, which is D12: StableAdamW
 *     (Wortsman et al., arXiv 2304.13013, algorithm 2)
 * @serial exclude
 */
public record AdamWConfig(double beta1, double beta2, double eps, double weightDecay, EpsilonPolicy epsilonPolicy, boolean updateClipping) implements Serializable {
    /** betas 0.9 and 0.95, eps 1e-8, weight decay 0.1: this library's choice for stitch layers. */
    public static final AdamWConfig STITCH = new AdamWConfig(0.9, 0.95, 1e-8, 0.1);

    /** Llama 2's pretraining recipe (arXiv 2307.09288, section 2.2): betas 0.9 and 0.95, eps 1e-5, weight decay 0.1. */
    public static final AdamWConfig LLAMA_2 = new AdamWConfig(0.9, 0.95, 1e-5, 0.1);

    /**
     * Checks the ranges.
     *
     * @param beta1 decay of the first moment
     * @param beta2 decay of the second moment
     * @param eps added to the bias-corrected root of the second moment
     * @param weightDecay decoupled decay of matrices per unit of learning rate
     * @param epsilonPolicy the use of eps
     * @param updateClipping whether to use StableAdamW's update clipping
     * @throws IllegalArgumentException listing every value outside its range
     */
    public AdamWConfig {
        Problems problems = new Problems();
        problems.addIf(!(beta1 >= 0 && beta1 < 1), "beta1 = " + beta1 + " is outside [0, 1)");
        problems.addIf(!(beta2 >= 0 && beta2 < 1), "beta2 = " + beta2 + " is outside [0, 1)");
        problems.addIf(!(eps > 0 || eps == 0 && epsilonPolicy == EpsilonPolicy.ZERO_SAFE) || !(eps < Double.POSITIVE_INFINITY),
                "eps = " + eps + " is not a positive number (0 is for EpsilonPolicy.ZERO_SAFE)");
        problems.addIf(!(weightDecay >= 0 && weightDecay < Double.POSITIVE_INFINITY), "weightDecay = " + weightDecay + " is negative or not a number");
        problems.throwInOneLine("");
    }

    /**
     * AdamW as in torch.optim.
     *
     * @param beta1 decay of the first moment
     * @param beta2 decay of the second moment
     * @param eps added to the bias-corrected root of the second moment
     * @param weightDecay decoupled decay of matrices per unit of learning rate
     * @throws IllegalArgumentException listing every value outside its range
     */
    public AdamWConfig(double beta1, double beta2, double eps, double weightDecay) {
        this(beta1, beta2, eps, weightDecay, EpsilonPolicy.ADD, false);
    }

    /**
     * A copy with another epsilon policy.
     *
     * @param policy the use of eps
     * @return the copy
     */
    public AdamWConfig withEpsilonPolicy(EpsilonPolicy policy) {
        return new AdamWConfig(beta1, beta2, eps, weightDecay, policy, updateClipping);
    }

    /** {@return a copy without weight decay} */
    public AdamWConfig withoutDecay() {
        return new AdamWConfig(beta1, beta2, eps, 0, epsilonPolicy, updateClipping);
    }

    /** {@return a copy with StableAdamW's clipping of updates} */
    public AdamWConfig withUpdateClipping() {
        return new AdamWConfig(beta1, beta2, eps, weightDecay, epsilonPolicy, true);
    }
}
