package io.github.bts4j.core.llama;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.llama.family.Spec;
import io.github.bts4j.core.llama.rope.LongRope;
import io.github.bts4j.core.llama.rope.RopeScaling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes {@code config.json} in the most widely supported spelling. */
final class ConfigWriter {
    private static final ObjectMapper MAPPER = JsonMapper.builder().build();

    private ConfigWriter() {
    }

    /** Writes the configuration, including int8 quantisation. */
    static void write(LlamaConfig config, boolean int8, Path path) throws IOException {
        Path file = Files.isDirectory(path) ? path.resolve(ConfigReader.FILE_NAME) : path;
        ObjectNode json = json(config);
        if (int8) {
            json.set("quantization_config", Int8Description.json());
        }
        AtomicFiles.write(file, MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n");
    }

    private static ObjectNode json(LlamaConfig config) {
        ObjectNode json = MAPPER.createObjectNode();
        Spec spec = config.traits().family().spec();
        json.putArray(ConfigKey.ARCHITECTURES.json()).add(spec.architecture());
        json.put(ConfigKey.MODEL_TYPE.json(), spec.modelType());
        json.put((spec.keys().contains(ConfigKey.HIDDEN_ACTIVATION.json()) ? ConfigKey.HIDDEN_ACTIVATION : ConfigKey.HIDDEN_ACT).json(), spec.activation().jsonName());
        json.put(ConfigKey.VOCAB_SIZE.json(), config.vocabSize());
        json.put(ConfigKey.HIDDEN_SIZE.json(), config.hiddenSize());
        json.put(ConfigKey.INTERMEDIATE_SIZE.json(), config.intermediateSize());
        json.put(ConfigKey.NUM_LAYERS.json(), config.numLayers());
        json.put(ConfigKey.NUM_HEADS.json(), config.numHeads());
        json.put(ConfigKey.NUM_KV_HEADS.json(), config.numKvHeads());
        json.put(ConfigKey.HEAD_DIM.json(), config.headDim());
        json.put(ConfigKey.MAX_POSITION_EMBEDDINGS.json(), config.maxPositionEmbeddings());
        json.put(ConfigKey.RMS_NORM_EPS.json(), config.rmsNormEps());
        json.put(ConfigKey.ROPE_THETA.json(), config.ropeTheta());
        putScaling(json, config.ropeScaling());
        TraitsWriter.put(json, config);
        json.put(ConfigKey.TIE_WORD_EMBEDDINGS.json(), config.tieWordEmbeddings());
        json.put(ConfigKey.TORCH_DTYPE.json(), config.dtype().jsonName());
        putTokens(json, config);
        return json;
    }

    private static void putScaling(ObjectNode json, RopeScaling scaling) {
        if (scaling instanceof RopeScaling.Default) {
            json.putNull(ConfigKey.ROPE_SCALING.json());
            return;
        }
        ObjectNode rope = json.putObject(ConfigKey.ROPE_SCALING.json());
        rope.put(ConfigKey.ROPE_TYPE.json(), scaling.ropeType());
        if (scaling instanceof RopeScaling.Linear linear) {
            rope.put(ConfigKey.FACTOR.json(), linear.factor());
        } else if (scaling instanceof RopeScaling.Dynamic dynamic) {
            rope.put(ConfigKey.FACTOR.json(), dynamic.factor());
        } else if (scaling instanceof RopeScaling.Llama3 llama3) {
            rope.put(ConfigKey.FACTOR.json(), llama3.factor());
            rope.put(ConfigKey.LOW_FREQ_FACTOR.json(), llama3.lowFreqFactor());
            rope.put(ConfigKey.HIGH_FREQ_FACTOR.json(), llama3.highFreqFactor());
            rope.put(ConfigKey.ORIGINAL_MAX.json(), llama3.originalMaxPositionEmbeddings());
        } else if (scaling instanceof RopeScaling.Yarn yarn) {
            putYarn(rope, yarn);
        } else if (scaling instanceof LongRope longRope) {
            longRope.shortFactor().forEach(rope.putArray(ConfigKey.SHORT_FACTOR.json())::add);
            longRope.longFactor().forEach(rope.putArray(ConfigKey.LONG_FACTOR.json())::add);
            rope.put(ConfigKey.ORIGINAL_MAX.json(), longRope.originalMaxPositionEmbeddings());
            rope.put(ConfigKey.ATTENTION_FACTOR.json(), longRope.attentionFactor());
        }
    }

    private static void putYarn(ObjectNode rope, RopeScaling.Yarn yarn) {
        rope.put(ConfigKey.FACTOR.json(), yarn.factor());
        rope.put(ConfigKey.ORIGINAL_MAX.json(), yarn.originalMaxPositionEmbeddings());
        rope.put(ConfigKey.BETA_FAST.json(), yarn.betaFast());
        rope.put(ConfigKey.BETA_SLOW.json(), yarn.betaSlow());
        yarn.mscale().ifPresent(value -> rope.put(ConfigKey.MSCALE.json(), value));
        yarn.mscaleAllDim().ifPresent(value -> rope.put(ConfigKey.MSCALE_ALL_DIM.json(), value));
        yarn.attentionFactor().ifPresent(value -> rope.put(ConfigKey.ATTENTION_FACTOR.json(), value));
        if (!yarn.truncate()) {
            rope.put(ConfigKey.TRUNCATE.json(), false);
        }
    }

    private static void putTokens(ObjectNode json, LlamaConfig config) {
        if (config.bosTokenId().isPresent()) {
            json.put(ConfigKey.BOS_TOKEN_ID.json(), config.bosTokenId().getAsInt());
        } else {
            json.putNull(ConfigKey.BOS_TOKEN_ID.json());
        }
        String eos = ConfigKey.EOS_TOKEN_ID.json();
        switch (config.eosTokenIds().size()) {
            case 0 -> json.putNull(eos);
            case 1 -> json.put(eos, config.eosTokenIds().get(0));
            default -> config.eosTokenIds().forEach(json.putArray(eos)::add);
        }
    }
}
