package io.github.bts4j.core.llama;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.llama.family.Family;
import io.github.bts4j.core.llama.family.Spec;
import io.github.bts4j.core.support.Problems;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Reads {@code config.json}, in either spelling, and the end-of-text tokens of {@code generation_config.json}. */
final class ConfigReader {
    static final String FILE_NAME = "config.json";
    private static final String GENERATION_FILE_NAME = "generation_config.json";
    private static final String OLD_ARCHITECTURE = "LLaMAForCausalLM";

    private final Path file;
    private final JsonFields fields;
    private final Problems problems;
    private int hidden;
    private int layers;
    private int headDim;

    private ConfigReader(Path file, JsonFields fields) {
        this.file = file;
        this.fields = fields;
        this.problems = fields.problems();
    }

    static LlamaConfig read(Path path) throws IOException {
        Path file = Files.isDirectory(path) ? path.resolve(FILE_NAME) : path;
        if (Files.isDirectory(path) && Files.notExists(file)) {
            Checkpoint.refuseAdapter(path);
            throw new ModelFormatException(path, "holds no " + FILE_NAME + ": is it the folder of a Hugging Face checkpoint?");
        }
        ConfigReader reader = new ConfigReader(file, JsonFields.parse(file, new Problems()));
        Path generation = file.resolveSibling(GENERATION_FILE_NAME);
        return reader.config(Files.exists(generation) ? generationTokens(generation) : new TokenIds(OptionalInt.empty(), List.of()));
    }

    private record TokenIds(OptionalInt bos, List<Integer> eos) {
    }

    private static TokenIds generationTokens(Path file) throws IOException {
        JsonFields fields = JsonFields.parse(file, new Problems());
        TokenIds result = new TokenIds(fields.integer(ConfigKey.BOS_TOKEN_ID), fields.integers(ConfigKey.EOS_TOKEN_ID));
        failIfAny(file, fields.problems());
        return result;
    }

    private LlamaConfig config(TokenIds generation) {
        Family family = family();
        LlamaConfigBuilder builder = LlamaConfig.builder();
        readSizes(builder, family.spec().defaults());
        readTraits(builder, family);
        builder.rmsNormEps(fields.number(ConfigKey.RMS_NORM_EPS).orElse(family.spec().defaults().eps()));
        readBiases(builder, family.spec());
        builder.tieWordEmbeddings(fields.flag(ConfigKey.TIE_WORD_EMBEDDINGS).orElse(family.spec().defaults().tied()));
        builder.dtype(dtype());
        readTokens(builder, generation);
        ConfigKeyPolicy.apply(fields, file, family);
        failIfAny(file, problems);
        try {
            return builder.build();
        } catch (IllegalArgumentException e) {
            throw new ModelFormatException(file, ConfigKey.inJsonNames(e.getMessage()));
        }
    }

    /** The family; Llama where it is not known, which is a problem. */
    private Family family() {
        String known = "it must be one of " + Family.modelTypes();
        problems.addIf(!fields.has(ConfigKey.MODEL_TYPE), "'model_type' is missing: " + known);
        Optional<String> type = fields.text(ConfigKey.MODEL_TYPE);
        Optional<Family> found = type.flatMap(Family::ofModelType);
        type.filter(any -> found.isEmpty()).ifPresent(name -> problems.add("'model_type' = " + fields.shown(ConfigKey.MODEL_TYPE.json()) + " is not supported: " + known));
        Spec spec = found.orElse(Family.LLAMA).spec();
        List<String> architectures = fields.texts(ConfigKey.ARCHITECTURES);
        problems.addIf(found.isPresent() && !architectures.isEmpty() && architectures.stream().noneMatch(name -> name.equals(spec.architecture()) || isOldLlama(spec, name)),
                "'architectures' = " + fields.shown(ConfigKey.ARCHITECTURES.json()) + " is not supported: only [\"" + spec.architecture() + "\"] is");
        for (ConfigKey key : List.of(ConfigKey.HIDDEN_ACT, ConfigKey.HIDDEN_ACTIVATION)) {
            fields.text(key).filter(name -> found.isPresent() && !name.equals(spec.activation().jsonName()))
                    .ifPresent(name -> problems.add("'" + key.json() + "' = " + fields.shown(key.json()) + " is not supported: only \"" + spec.activation().jsonName() + "\" is"));
        }
        return found.orElse(Family.LLAMA);
    }

    private static boolean isOldLlama(Spec spec, String architecture) {
        return spec == Family.LLAMA.spec() && architecture.equals(OLD_ARCHITECTURE);
    }

    private void readSizes(LlamaConfigBuilder builder, Family.Defaults defaults) {
        hidden = fields.required(ConfigKey.HIDDEN_SIZE);
        layers = fields.required(ConfigKey.NUM_LAYERS);
        int heads = fields.required(ConfigKey.NUM_HEADS);
        builder.vocabSize(fields.required(ConfigKey.VOCAB_SIZE)).hiddenSize(hidden)
                .intermediateSize(fields.required(ConfigKey.INTERMEDIATE_SIZE)).numLayers(layers)
                .numHeads(heads);
        fields.integer(ConfigKey.NUM_KV_HEADS).ifPresent(builder::numKvHeads);
        OptionalInt own = fields.integer(ConfigKey.HEAD_DIM);
        OptionalInt size = own.isPresent() || defaults.headDim() == 0 ? own : OptionalInt.of(defaults.headDim());
        size.ifPresent(builder::headDim);
        headDim = size.orElse(heads > 0 ? hidden / heads : 0);
    }

    private void readTraits(LlamaConfigBuilder builder, Family family) {
        int context = fields.integer(ConfigKey.MAX_POSITION_EMBEDDINGS).orElse(family.spec().defaults().context());
        RopeReader.Found rope = RopeReader.read(fields, family.spec(), context);
        builder.maxPositionEmbeddings(context).ropeTheta(rope.theta()).ropeScaling(rope.scaling())
                .traits(TraitsReader.read(fields, family, layers, hidden, headDim, rope));
    }

    private void readBiases(LlamaConfigBuilder builder, Spec spec) {
        Spec.Biases biases = spec.biases();
        boolean attention = biases == Spec.Biases.BY_KEY || biases == Spec.Biases.ATTENTION_BY_KEY;
        fields.problems().addIf(biases == Spec.Biases.NONE && fields.flag(ConfigKey.ATTENTION_BIAS).orElse(false), "'attention_bias' = true is not supported: only false is");
        fields.problems().addIf(biases != Spec.Biases.BY_KEY && fields.flag(ConfigKey.MLP_BIAS).orElse(false), "'mlp_bias' = true is not supported: only false is");
        builder.attentionBias(attention ? fields.flag(ConfigKey.ATTENTION_BIAS).orElse(false) : biases == Spec.Biases.QUERY_KEY_VALUE);
        builder.mlpBias(biases == Spec.Biases.BY_KEY && fields.flag(ConfigKey.MLP_BIAS).orElse(false));
    }

    private Precision dtype() {
        Optional<String> oldName = fields.text(ConfigKey.TORCH_DTYPE);
        Optional<String> newName = fields.text(ConfigKey.DTYPE);
        if (oldName.isPresent() && newName.isPresent() && !oldName.equals(newName)) {
            problems.add("'torch_dtype' = " + fields.shown("torch_dtype") + " contradicts 'dtype' = " + fields.shown("dtype"));
        }
        Optional<String> name = newName.or(() -> oldName);
        Optional<Precision> precision = name.flatMap(Precision::named);
        if (name.isPresent() && precision.isEmpty()) {
            String key = newName.isPresent() ? "dtype" : "torch_dtype";
            problems.add("'" + key + "' = " + fields.shown(key) + " is not supported: it must be one of float32, float16, bfloat16");
        }
        return precision.orElse(Precision.FLOAT32);
    }

    private void readTokens(LlamaConfigBuilder builder, TokenIds generation) {
        OptionalInt bos = fields.integer(ConfigKey.BOS_TOKEN_ID);
        List<Integer> own = fields.integers(ConfigKey.EOS_TOKEN_ID);
        (bos.isPresent() ? bos : generation.bos()).ifPresent(builder::bosTokenId);
        builder.eosTokenIds(generation.eos().isEmpty() ? own : generation.eos()); // as in transformers
    }

    private static void failIfAny(Path file, Problems problems) {
        throwIf(!problems.isEmpty(), () -> new ModelFormatException(file, problems.message("not a configuration that bts4j can load")));
    }
}
