package io.github.bts4j.core.torch;

import io.github.bts4j.core.support.ElementType;
import java.util.List;
import java.util.Optional;

/** Operations that several kernels can compute. Their results differ in the last bits. */
public enum KernelOperation {
    /** Products of float32 without a graph: decoding, prompts, evaluation, layers below the first stitch. */
    FORWARD_FLOAT32("forward.float32", "onednn", "default", KernelOperation.SEVERAL_THREADS),
    /** Products of float32 within a graph, and the products of their backward pass. */
    TRAINING_FLOAT32("training.float32", "onednn", "default", KernelOperation.SEVERAL_THREADS),
    /** Products of bfloat16 with up to four rows, without a graph. */
    FORWARD_BFLOAT16("forward.bfloat16", "onednn", "default", KernelOperation.NOISE),
    /** Products of bfloat16 before SiLU, without a graph: oneDNN applies SiLU to its float32 sums, or libtorch in a second pass to what it has rounded. */
    SILU_BFLOAT16("silu.bfloat16", "onednn", "default", 1),
    /** Attention in float32 without a graph: blocks of queries as batched products, or libtorch's fused kernel. */
    ATTENTION_FLOAT32("attention.float32", "blocks", "fused", KernelOperation.NOISE),
    /** The same in bfloat16. */
    ATTENTION_BFLOAT16("attention.bfloat16", "blocks", "fused", KernelOperation.NOISE);

    /** So that noise does not decide. */
    private static final double NOISE = 6 / 7.0;
    /** libtorch's float32 products are 7 to 15 % faster on two threads where one, which is measured, shows no difference (docs/benchmarks.md). */
    private static final double SEVERAL_THREADS = 1.05;

    private final String label;
    private final List<String> kernels;
    private final double margin;

    KernelOperation(String label, String usual, String other, double margin) {
        this.label = label;
        this.kernels = List.of(usual, other);
        this.margin = margin;
    }

    /** {@return the name in texts and files} */
    public String label() {
        return label;
    }

    /** {@return the kernels' names, the one that is used without a measurement first} */
    public List<String> kernels() {
        return kernels;
    }

    /** The share of the usual kernel's time on one thread that the other one may take to be chosen. For SiLU it is 1: a pass of its own makes forward passes an eighth faster where one thread shows a twentieth. */
    double margin() {
        return margin;
    }

    String usual() {
        return kernels.get(0);
    }

    String other() {
        return kernels.get(1);
    }

    /** {@return the element type of the operands} */
    ElementType type() {
        return label.endsWith("bfloat16") ? ElementType.BFLOAT16 : ElementType.FLOAT32;
    }

    boolean isProduct() {
        return usual().equals("onednn");
    }

    static Optional<KernelOperation> named(String label) {
        return List.of(values()).stream().filter(each -> each.label.equals(label)).findFirst();
    }
}
