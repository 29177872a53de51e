package io.github.bts4j.core.llama;


import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import io.github.bts4j.core.checkpoint.gguf.GgufFile;
import io.github.bts4j.core.checkpoint.gguf.GgufMetadata;
import io.github.bts4j.core.checkpoint.gguf.GgufTensor;
import io.github.bts4j.core.llama.family.Family;
import io.github.bts4j.core.llama.family.Spec;
import io.github.bts4j.core.llama.family.Traits;
import io.github.bts4j.core.llama.rope.LongRope;
import io.github.bts4j.core.llama.rope.RopeScaling;
import io.github.bts4j.core.support.Problems;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/** A configuration from the metadata of a GGUF file, whose keys the specification of GGUF defines. */
final class GgufConfig {
    /** The tensor in which llama.cpp stores llama3 RoPE scaling: a divisor per frequency. */
    static final String ROPE_FREQS = "rope_freqs.weight";

    private static final String LONG_FACTORS = "rope_factors_long.weight";
    private static final String SHORT_FACTORS = "rope_factors_short.weight";
    private static final int DEFAULT_CONTEXT = 2048;
    private static final double DEFAULT_THETA = 10_000;
    /** Tokens that are end tokens in llama.cpp, whatever their role. */
    private static final Set<String> END_TOKENS = Set.of("<|eot_id|>", "<|eom_id|>", "<|im_end|>");

    private final GgufFile file;
    private final GgufMetadata metadata;
    private final Family family;

    private GgufConfig(GgufFile file) throws ModelFormatException {
        this.file = file;
        this.metadata = file.metadata();
        String architecture = metadata.text("general.architecture").orElseThrow(metadata.missing("general.architecture"));
        this.family = Family.ofGguf(architecture).orElseThrow(() -> new ModelFormatException(file.file(),
                "general.architecture = '" + architecture + "' is not supported: it must be one of " + Family.ggufArchitectures()));
    }

    static LlamaConfig read(GgufFile file) throws IOException {
        return new GgufConfig(file).read();
    }

    private LlamaConfig read() throws IOException {
        int hidden = metadata.requiredInteger(key("embedding_length"));
        int heads = metadata.requiredInteger(key("attention.head_count"));
        double theta = metadata.number(key("rope.freq_base")).orElse(DEFAULT_THETA);
        int context = metadata.integer(key("context_length")).orElse(DEFAULT_CONTEXT);
        int headDim = metadata.integer(key("attention.key_length")).orElse(heads > 0 ? hidden / heads : 0);
        int layers = metadata.requiredInteger(key("block_count"));
        Traits traits = traits(new GgufTraits.Sizes(layers, hidden, heads, headDim));
        LlamaConfigBuilder builder = LlamaConfig.builder()
                .vocabSize(vocabSize())
                .hiddenSize(hidden)
                .intermediateSize(metadata.requiredInteger(key("feed_forward_length")))
                .numLayers(layers)
                .traits(traits)
                .numHeads(heads)
                .numKvHeads(metadata.integer(key("attention.head_count_kv")).orElse(heads))
                .headDim(headDim)
                .maxPositionEmbeddings(context)
                .rmsNormEps(metadata.number(key("attention.layer_norm_rms_epsilon")).orElseThrow(metadata.missing(key("attention.layer_norm_rms_epsilon"))))
                .ropeTheta(theta)
                .attentionBias(family.spec().biases() == Spec.Biases.QUERY_KEY_VALUE || file.tensors().containsKey("blk.0.attn_q.bias"))
                .mlpBias(file.tensors().containsKey("blk.0.ffn_up.bias"))
                .tieWordEmbeddings(!file.tensors().containsKey("output.weight"))
                .dtype(precision())
                .eosTokenIds(endTokens());
        role("bos", 1).ifPresent(builder::bosTokenId);
        try {
            return builder.ropeScaling(scaling(traits.rotatedDim().orElse(headDim), theta, context)).build();
        } catch (IllegalArgumentException e) {
            throw new ModelFormatException(file.file(), "the metadata is not a configuration: " + ConfigKey.inJsonNames(e.getMessage()), e);
        }
    }

    private String key(String name) {
        return family.spec().ggufArchitecture() + "." + name;
    }

    /** The traits; refuses what is not computed. */
    private Traits traits(GgufTraits.Sizes sizes) {
        Problems problems = new Problems();
        for (String name : List.of("expert_count", "attention.causal", "attn_logit_softcapping", "final_logit_softcapping", "attention.clamp_kqv")) {
            Object value = metadata.get(key(name)).orElse(null);
            boolean harmless = value == null || value.equals(0L) || name.endsWith("causal") && value.equals(true);
            problems.addIf(!harmless, key(name) + " = " + value + " is not computed here");
        }
        int valueSize = metadata.integer(key("attention.value_length")).orElse(sizes.headDim());
        problems.addIf(valueSize != sizes.headDim(), key("attention.value_length") + " = " + valueSize + " differs from the size of a head, " + sizes.headDim());
        Traits traits = GgufTraits.read(metadata, family, sizes, problems);
        if (!problems.isEmpty()) {
            throw new ModelFormatException(file.file(), problems.message("not a model that bts4j can load"));
        }
        return traits;
    }

    private int vocabSize() {
        GgufTensor embedding = Optional.ofNullable(file.tensors().get("token_embd.weight")).orElseThrow(metadata.missing("token_embd.weight (a tensor)"));
        return embedding.shape().isEmpty() ? 0 : (int) Math.min(embedding.shape().get(0), Integer.MAX_VALUE);
    }

    /** The precision of the matrices; bfloat16 if they are quantised or mixed. */
    private Precision precision() {
        List<GgmlType> types = file.tensors().values().stream().filter(tensor -> tensor.shape().size() > 1).map(GgufTensor::type).distinct().toList();
        if (types.equals(List.of(GgmlType.F32))) {
            return Precision.FLOAT32;
        }
        return types.equals(List.of(GgmlType.F16)) ? Precision.FLOAT16 : Precision.BFLOAT16;
    }

    /** The id of a role; or, in SentencePiece vocabularies, llama.cpp's default, if there is such a token. */
    private OptionalInt role(String role, int usual) {
        OptionalInt id = metadata.integer("tokenizer.ggml." + role + "_token_id");
        boolean silent = id.isEmpty() && usual < vocabSize() && metadata.text("tokenizer.ggml.model").filter("llama"::equals).isPresent();
        return silent ? OptionalInt.of(usual) : id;
    }

    private List<Integer> endTokens() {
        List<Integer> ends = new ArrayList<>();
        role("eos", 2).ifPresent(ends::add);
        for (String role : List.of("eot", "eom")) {
            metadata.integer("tokenizer.ggml." + role + "_token_id").ifPresent(ends::add);
        }
        List<String> tokens = metadata.list("tokenizer.ggml.tokens", String.class).orElse(Collections.emptyList());
        for (int id = 0; id < tokens.size(); id++) {
            if (END_TOKENS.contains(tokens.get(id))) {
                ends.add(id);
            }
        }
        return ends;
    }

    private RopeScaling scaling(int headDim, double theta, int context) throws IOException {
        if (file.tensors().containsKey(LONG_FACTORS) && file.tensors().containsKey(SHORT_FACTORS)) {
            int trained = metadata.integer(key("rope.scaling.original_context_length")).orElse(context);
            double usual = LongRope.attentionFactor((double) context / trained, trained);
            return new LongRope(values(SHORT_FACTORS), values(LONG_FACTORS), trained, metadata.number(key("rope.scaling.attn_factor")).orElse(usual));
        }
        GgufTensor divisors = file.tensors().get(ROPE_FREQS);
        if (divisors != null) {
            return Llama3Divisors.scaling(file, divisors, headDim, theta);
        }
        String type = metadata.text(key("rope.scaling.type")).orElse("linear"); // as in llama.cpp
        double factor = metadata.number(key("rope.scaling.factor")).orElse(metadata.number(key("rope.scale_linear")).orElse(1));
        int original = metadata.integer(key("rope.scaling.original_context_length")).orElse(context);
        OptionalDouble attention = metadata.number(key("rope.scaling.attn_factor"));
        return switch (type) {
            case "none", "longrope" -> RopeScaling.none(); // without factors, of which there may be none for a short context
            case "linear" -> factor == 1 ? RopeScaling.none() : new RopeScaling.Linear(factor);
            case "yarn" -> attention.isEmpty() ? RopeScaling.Yarn.of(factor, original)
                    : new RopeScaling.Yarn(factor, original, RopeScaling.Yarn.BETA_FAST, RopeScaling.Yarn.BETA_SLOW, OptionalDouble.empty(),
                            OptionalDouble.empty(), OptionalDouble.of(attention.getAsDouble() * (0.1 * Math.log(factor) + 1)), true);
            default -> throw new ModelFormatException(file.file(), key("rope.scaling.type") + " = '" + type + "' is not supported: none, linear and yarn are");
        };
    }

    private List<Double> values(String tensor) throws IOException {
        Double[] values = new Double[Math.toIntExact(file.tensors().get(tensor).elements())];
        file.dequantize(file.tensors().get(tensor), (at, piece) -> {
            for (int i = 0; i < piece.length; i++) {
                values[(int) at + i] = (double) piece[i];
            }
        });
        return List.of(values);
    }
}
