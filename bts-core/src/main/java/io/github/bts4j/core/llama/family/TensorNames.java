package io.github.bts4j.core.llama.family;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The names of a layer's tensors in a family's checkpoints, and which of them are one tensor. A norm that a family does not have has an empty name.
 *
 * @param beforeAttention the norm before attention, after {@code model.layers.N.}
 * @param afterAttention the one behind it
 * @param beforeMlp the norm before the feed-forward network
 * @param afterMlp the one behind it
 * @param fusedProjections matrices that are the rows of one tensor, from the first on, by its name
 * @param pairwiseInGguf whether GGUF files hold the rows of queries and keys pair by pair, as llama.cpp's "norm" rotation wants them
 */
public record TensorNames(String beforeAttention, String afterAttention, String beforeMlp, String afterMlp, Map<String, List<String>> fusedProjections, boolean pairwiseInGguf) {
    static final TensorNames LLAMA = new TensorNames("input_layernorm", "", "post_attention_layernorm", "", Map.of(), false);

    TensorNames norms(String attentionBefore, String attentionAfter, String mlpBefore, String mlpAfter) {
        return new TensorNames(attentionBefore, attentionAfter, mlpBefore, mlpAfter, fusedProjections, pairwiseInGguf);
    }

    TensorNames fused() {
        return new TensorNames(beforeAttention, afterAttention, beforeMlp, afterMlp, Map.of("self_attn.qkv_proj", List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
                "mlp.gate_up_proj", List.of("mlp.gate_proj", "mlp.up_proj")), pairwiseInGguf);
    }

    TensorNames inPairs() {
        return new TensorNames(beforeAttention, afterAttention, beforeMlp, afterMlp, fusedProjections, true);
    }

    /**
     * Whether the layer is normalised where Llama's is.
     *
     * @return true if there is a norm before each branch and none behind it
     */
    public boolean hasNormsBeforeAlone() {
        return !beforeAttention.isEmpty() && afterAttention.isEmpty() && !beforeMlp.isEmpty() && afterMlp.isEmpty();
    }

    /**
     * The names of a layer's tensors in GGUF files, without {@code blk.N.} and {@code .weight}.
     *
     * @return the checkpoint's names by them
     */
    public Map<String, String> byGgufName() {
        Map<String, String> names = new LinkedHashMap<>(Map.of("attn_q", "self_attn.q_proj", "attn_k", "self_attn.k_proj", "attn_v", "self_attn.v_proj",
                "attn_output", "self_attn.o_proj", "attn_q_norm", "self_attn.q_norm", "attn_k_norm", "self_attn.k_norm", "ffn_gate", "mlp.gate_proj",
                "ffn_up", "mlp.up_proj", "ffn_down", "mlp.down_proj"));
        if (!fusedProjections.isEmpty()) {
            names.putAll(Map.of("attn_qkv", "self_attn.qkv_proj", "ffn_up", "mlp.gate_up_proj"));
        }
        Map.of("attn_norm", beforeAttention, "post_attention_norm", afterAttention, "ffn_norm", beforeMlp, "post_ffw_norm", afterMlp)
                .forEach((gguf, own) -> {
                    if (!own.isEmpty()) {
                        names.put(gguf, own);
                    }
                });
        return names;
    }
}
