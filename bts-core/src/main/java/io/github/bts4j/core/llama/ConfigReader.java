package io.github.bts4j.core.llama;

import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.llama.rope.RopeScaling;
import io.github.bts4j.core.support.Problems;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;

/** Reads {@code config.json}, in either spelling, and the end-of-text tokens of {@code generation_config.json}. */
final class ConfigReader {
    static final String FILE_NAME = "config.json";
    static final String MODEL_TYPE = "llama";
    static final String ARCHITECTURE = "LlamaForCausalLM";
    static final String ACTIVATION = "silu";
    private static final String GENERATION_FILE_NAME = "generation_config.json";
    private static final Set<String> ARCHITECTURES = Set.of(ARCHITECTURE, "LLaMAForCausalLM");
    private static final int DEFAULT_CONTEXT = 2048;
    private static final double DEFAULT_EPS = 1e-6;
    private static final double DEFAULT_THETA = 10_000;

    private final Path file;
    private final JsonFields fields;
    private final Problems problems;

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
        checkArchitecture();
        LlamaConfigBuilder builder = LlamaConfig.builder();
        readSizes(builder);
        int context = fields.integer(ConfigKey.MAX_POSITION_EMBEDDINGS).orElse(DEFAULT_CONTEXT);
        builder.maxPositionEmbeddings(context);
        builder.rmsNormEps(fields.number(ConfigKey.RMS_NORM_EPS).orElse(DEFAULT_EPS));
        readRope(builder, context);
        builder.attentionBias(fields.flag(ConfigKey.ATTENTION_BIAS).orElse(false));
        builder.mlpBias(fields.flag(ConfigKey.MLP_BIAS).orElse(false));
        builder.tieWordEmbeddings(fields.flag(ConfigKey.TIE_WORD_EMBEDDINGS).orElse(false));
        builder.dtype(dtype());
        readTokens(builder, generation);
        ConfigKeyPolicy.apply(fields, file);
        failIfAny(file, problems);
        try {
            return builder.build();
        } catch (IllegalArgumentException e) {
            throw new ModelFormatException(file, ConfigKey.inJsonNames(e.getMessage()));
        }
    }

    private void checkArchitecture() {
        problems.addIf(!fields.has(ConfigKey.MODEL_TYPE), "'model_type' is missing: expected \"" + MODEL_TYPE + "\"");
        fields.text(ConfigKey.MODEL_TYPE).filter(type -> !type.equals(MODEL_TYPE))
                .ifPresent(type -> problems.add("'model_type' = \"" + type + "\" is not supported: only \"" + MODEL_TYPE + "\" is"));
        List<String> architectures = fields.texts(ConfigKey.ARCHITECTURES);
        problems.addIf(!architectures.isEmpty() && architectures.stream().noneMatch(ARCHITECTURES::contains),
                "'architectures' = " + fields.shown(ConfigKey.ARCHITECTURES.json()) + " is not supported: only [\"" + ARCHITECTURE + "\"] is");
        fields.text(ConfigKey.HIDDEN_ACT).filter(name -> !name.equals(ACTIVATION))
                .ifPresent(name -> problems.add("'hidden_act' = \"" + name + "\" is not supported: only \"" + ACTIVATION + "\" is"));
    }

    private void readSizes(LlamaConfigBuilder builder) {
        builder.vocabSize(fields.required(ConfigKey.VOCAB_SIZE)).hiddenSize(fields.required(ConfigKey.HIDDEN_SIZE))
                .intermediateSize(fields.required(ConfigKey.INTERMEDIATE_SIZE)).numLayers(fields.required(ConfigKey.NUM_LAYERS))
                .numHeads(fields.required(ConfigKey.NUM_HEADS));
        fields.integer(ConfigKey.NUM_KV_HEADS).ifPresent(builder::numKvHeads);
        fields.integer(ConfigKey.HEAD_DIM).ifPresent(builder::headDim);
    }

    /** Both spellings, which must agree if both are present. */
    private void readRope(LlamaConfigBuilder builder, int context) {
        Optional<JsonFields> oldForm = fields.fields(ConfigKey.ROPE_SCALING);
        Optional<JsonFields> newForm = fields.fields(ConfigKey.ROPE_PARAMETERS);
        List<Double> thetas = new ArrayList<>();
        List<RopeScaling> scalings = new ArrayList<>();
        fields.number(ConfigKey.ROPE_THETA).ifPresent(thetas::add);
        for (JsonFields form : Stream.of(oldForm, newForm).flatMap(Optional::stream).toList()) {
            OptionalDouble theta = form.number(ConfigKey.ROPE_THETA);
            theta.ifPresent(thetas::add);
            scalings.add(RopeScalingReader.read(form, context));
        }
        problems.addIf(thetas.stream().distinct().count() > 1, "'rope_theta' is given more than once, as " + thetas);
        problems.addIf(scalings.stream().distinct().count() > 1, "'rope_scaling' and 'rope_parameters' contradict each other: " + scalings);
        builder.ropeTheta(thetas.isEmpty() ? DEFAULT_THETA : thetas.get(0));
        builder.ropeScaling(scalings.isEmpty() ? RopeScaling.none() : scalings.get(0));
    }

    private Precision dtype() {
        Optional<String> oldName = fields.text(ConfigKey.TORCH_DTYPE);
        Optional<String> newName = fields.text(ConfigKey.DTYPE);
        if (oldName.isPresent() && newName.isPresent() && !oldName.equals(newName)) {
            problems.add("'torch_dtype' = \"" + oldName.get() + "\" contradicts 'dtype' = \"" + newName.get() + "\"");
        }
        Optional<String> name = newName.or(() -> oldName);
        Optional<Precision> precision = name.flatMap(Precision::named);
        if (name.isPresent() && precision.isEmpty()) {
            String key = newName.isPresent() ? "dtype" : "torch_dtype";
            problems.add("'" + key + "' = \"" + name.get() + "\" is not supported: it must be one of float32, float16, bfloat16");
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
        if (!problems.isEmpty()) {
            throw new ModelFormatException(file, problems.message("not a configuration that bts4j can load"));
        }
    }
}
