package io.github.bts4j.train.optim;

/**
 * What AdamW does with eps in its denominator, v^ being the bias-corrected second moment. Gradients of the size of eps are where Adam's instability
 * begins (Molybog et al., arXiv 2304.09871), and the denominator decides what becomes of them.
 */
public enum EpsilonPolicy {
    /** {@code sqrt(v^) + eps}: torch.optim's. Components below eps hardly move, and jump when their gradients grow. */
    ADD(0),
    /** {@code sqrt(v^)}, and no update where v^ is 0: every component moves at its own scale. eps has no effect. */
    ZERO_SAFE(1),
    /** {@code max(sqrt(v^), eps)}: exact Adam above eps, a fixed scale below. */
    MAX(2);

    private final int code;

    EpsilonPolicy(int code) {
        this.code = code;
    }

    /**
     * The kernels' number.
     *
     * @return 0, 1 or 2
     */
    public int code() {
        return code;
    }
}
