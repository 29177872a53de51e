package io.github.bts4j.stitch.baseline;

import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.support.Problems;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The shape of an upcycled mixture: one model whose layers have the feed-forward networks of several models as experts, chosen or
 * weighted by a router, while all other weights are averaged (Branch-Train-MiX, arXiv 2403.07816; as baselines, arXiv 2502.00075, section 3.2).
 *
 * <p>Choices that the papers leave open: routers are linear without bias, read the output of the layer's norm, and start at zero, which weights all experts
 * equally; adapters start at the identity. There is no load-balancing loss.
 *
 * @param base the models' common dimensions
 * @param experts their names, the seed's first
 * @param topOne whether each token goes to one feed-forward network ("BTX sample") or to all of them, weighted by softmax ("BTX soft")
 * @param attentionExperts whether attention is a softmax-weighted mixture too (BAM, arXiv 2408.08274)
 * @param adapters whether each expert is followed by its own linear map {@code [hidden, hidden]}, and only these maps and the routers are trained
 */
public record UpcycledConfig(LlamaConfig base, List<String> experts, boolean topOne, boolean attentionExperts, boolean adapters) {
    static final String ROUTER = ".router.weight";
    private static final String MLP = ".mlp.";
    private static final String ATTENTION = ".self_attn.";

    /**
     * Checks the values.
     *
     * @param base the models' common dimensions
     * @param experts their names, the seed's first
     * @param topOne whether every token goes to one feed-forward network
     * @param attentionExperts whether attention is a mixture too
     * @param adapters whether every expert is followed by an adapter
     * @throws IllegalArgumentException listing every problem: fewer than two experts, two of one name, or top-1 routing with attention experts or adapters
     */
    public UpcycledConfig {
        experts = List.copyOf(experts);
        Problems problems = new Problems();
        problems.addIf(experts.size() < 2 || new HashSet<>(experts).size() < experts.size(),
                "experts = " + experts + ": at least two different names are required");
        problems.addIf(topOne && (attentionExperts || adapters),
                "topOne with attentionExperts = " + attentionExperts + " and adapters = " + adapters + ": these mixtures need soft routing");
        problems.addIf(!base.traits().hasPlainBranches(), "models of the family " + base.traits().family().spec().modelType()
                + " have norms behind attention and feed-forward network, or factors of them: mixtures of these parts are built of families without");
        problems.throwInOneLine("UpcycledConfig: ");
    }

    /**
     * Branch-Train-MiX with top-1 routing, sampled in training by straight-through Gumbel-softmax.
     *
     * @param base the models' common dimensions
     * @param experts their names, the seed's first
     * @return the shape
     */
    public static UpcycledConfig btxSample(LlamaConfig base, List<String> experts) {
        return new UpcycledConfig(base, experts, true, false, false);
    }

    /**
     * Branch-Train-MiX with all feed-forward networks, weighted by softmax.
     *
     * @param base the models' common dimensions
     * @param experts their names, the seed's first
     * @return the shape
     */
    public static UpcycledConfig btxSoft(LlamaConfig base, List<String> experts) {
        return new UpcycledConfig(base, experts, false, false, false);
    }

    /**
     * Branch-Attend-Mix: attention experts as well as feed-forward experts, both weighted by softmax.
     *
     * @param base the models' common dimensions
     * @param experts their names, the seed's first
     * @return the shape
     */
    public static UpcycledConfig bam(LlamaConfig base, List<String> experts) {
        return new UpcycledConfig(base, experts, false, true, false);
    }

    /**
     * BAM in which only the routers and one adapter after each expert are trained.
     *
     * @param base the models' common dimensions
     * @param experts their names, the seed's first
     * @return the shape
     */
    public static UpcycledConfig bamAdapters(LlamaConfig base, List<String> experts) {
        return new UpcycledConfig(base, experts, false, true, true);
    }

    /**
     * {@return the names and shapes of all tensors in the order of the layers, not modifiable; a projection's shape is {@code [out,
     * in]}} Shared tensors have their Hugging Face names. A tensor of expert i has {@code experts.i.} after {@code self_attn.} or
     * {@code mlp.}; {@code router.weight} and {@code adapters.i.weight} are there too.
     */
    public Map<String, List<Long>> shapes() {
        Map<String, List<Long>> all = new LinkedHashMap<>();
        LlamaTensors.shapes(base).forEach((name, shape) -> {
            if (!isExperts(name)) {
                all.put(name, shape);
                return;
            }
            for (int i = 0; i < experts.size(); i++) {
                all.put(nameOf(name, i), shape);
            }
        });
        long hidden = base.hiddenSize();
        for (String part : attentionExperts ? List.of(MLP, ATTENTION) : List.of(MLP)) {
            for (int layer = 0; layer < base.numLayers(); layer++) {
                all.put(routerOf(part, layer), List.of((long) experts.size(), hidden));
                for (int i = 0; adapters && i < experts.size(); i++) {
                    all.put(adapterOf(part, layer, i), List.of(hidden, hidden));
                }
            }
        }
        return Collections.unmodifiableMap(all);
    }

    /** Whether each expert has its own tensor of this Hugging Face name. */
    private boolean isExperts(String name) {
        return name.contains(MLP) || attentionExperts && name.contains(ATTENTION);
    }

    /** The name of an expert's tensor, possibly shared, by its Hugging Face name. */
    String nameOf(String name, int expert) {
        if (!isExperts(name)) {
            return name;
        }
        String part = name.contains(MLP) ? MLP : ATTENTION;
        return name.replace(part, part + "experts." + expert + ".");
    }

    private static String routerOf(String part, int layer) {
        return "model.layers." + layer + part.substring(0, part.length() - 1) + ROUTER;
    }

    private static String adapterOf(String part, int layer, int expert) {
        return "model.layers." + layer + part + "adapters." + expert + ".weight";
    }

    /** The routers in the kernels' order. */
    List<String> routers() {
        return shapes().keySet().stream().filter(name -> name.endsWith(ROUTER)).toList();
    }

    /** The adapters in the kernels' order. */
    List<String> adapterNames() {
        return shapes().keySet().stream().filter(name -> name.contains(".adapters.")).toList();
    }

    /**
     * Whether a tensor is trained.
     *
     * @param name one of {@link #shapes()}
     * @return true for all tensors; with adapters, only for adapters and routers
     */
    public boolean isTrained(String name) {
        return !adapters || name.endsWith(ROUTER) || name.contains(".adapters.");
    }

    /** {@return the number of all parameters (arXiv 2502.00075, Table 2, "total")} */
    public long parameterCount() {
        return shapes().values().stream().mapToLong(UpcycledConfig::elements).sum();
    }

    /** {@return the number of trained parameters (Table 2, "trained")} */
    public long trainedCount() {
        return shapes().entrySet().stream().filter(tensor -> isTrained(tensor.getKey())).mapToLong(tensor -> elements(tensor.getValue())).sum();
    }

    /** {@return the number of parameters that one token uses (Table 2, "active")} */
    public long activeCount() {
        return shapes().entrySet().stream().filter(tensor -> !topOne || !tensor.getKey().matches(".*\\.experts\\.[1-9]\\d*\\..*"))
                .mapToLong(tensor -> elements(tensor.getValue())).sum();
    }

    private static long elements(List<Long> shape) {
        return shape.stream().reduce(1L, Math::multiplyExact);
    }
}
