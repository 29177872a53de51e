package io.github.bts4j.train.optim;

/**
 * How AdamW uses eps in its denominator; v^ is the bias-corrected second moment. Adam's instability begins with gradients of the size of eps
 * (Molybog et al., arXiv 2304.09871), for which the policies differ.
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

    /** {@return the kernels' number: 0, 1 or 2} */
    public int code() {
        return code;
    }
}
