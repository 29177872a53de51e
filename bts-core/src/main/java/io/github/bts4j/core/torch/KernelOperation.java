package io.github.bts4j.core.torch;

import io.github.bts4j.core.support.ElementType;
import java.util.List;
import java.util.Optional;

/** Operations that several kernels can compute. Their results differ in the last bits. */
public enum KernelOperation {
    /** Products of float32 without a graph: decoding, prompts, evaluation, layers below the first stitch. */
    FORWARD_FLOAT32("forward.float32", "onednn", "default"),
    /** Products of float32 within a graph, and the products of their backward pass. */
    TRAINING_FLOAT32("training.float32", "onednn", "default"),
    /** Products of bfloat16 with up to four rows, without a graph. */
    FORWARD_BFLOAT16("forward.bfloat16", "onednn", "default"),
    /** Products of bfloat16 before SiLU, without a graph: oneDNN applies SiLU to its float32 sums, or libtorch in a second pass to what it has rounded. */
    SILU_BFLOAT16("silu.bfloat16", "onednn", "default"),
    /** Attention in float32 without a graph: blocks of queries as batched products, or libtorch's fused kernel. */
    ATTENTION_FLOAT32("attention.float32", "blocks", "fused"),
    /** The same in bfloat16. */
    ATTENTION_BFLOAT16("attention.bfloat16", "blocks", "fused");

    private final String label;
    private final List<String> kernels;

    KernelOperation(String label, String usual, String other) {
        this.label = label;
        this.kernels = List.of(usual, other);
    }

    /** {@return the name in texts and files} */
    public String label() {
        return label;
    }

    /** {@return the kernels' names, the one that is used without a measurement first} */
    public List<String> kernels() {
        return kernels;
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
