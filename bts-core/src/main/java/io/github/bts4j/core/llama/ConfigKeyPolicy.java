package io.github.bts4j.core.llama;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.llama.family.Family;
import io.github.bts4j.core.support.Quoted;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The treatment of keys of {@code config.json} that are not part of {@link LlamaConfig}: keys that change the computation must
 * have their neutral value, keys that are known to have no effect are skipped, and others are logged.
 */
final class ConfigKeyPolicy {
    private static final Logger LOG = LoggerFactory.getLogger(ConfigKeyPolicy.class);

    /** Key to neutral value, as JSON text; null, false and an empty list or object are always neutral. */
    private static final Map<String, String> NEUTRAL = new TreeMap<>(Map.ofEntries(
            Map.entry("pretraining_tp", "1"),
            Map.entry("quantization", "null"),
            Map.entry("compression_config", "null"),
            Map.entry("partial_rotary_factor", "1"),
            Map.entry("rotary_pct", "1"),
            Map.entry("rope_interleaved", "false"),
            Map.entry("rope_traditional", "false"),
            Map.entry("use_sliding_window", "false"),
            Map.entry("attention_chunk_size", "null"),
            Map.entry("is_encoder_decoder", "false"),
            Map.entry("add_cross_attention", "false"),
            Map.entry("pruned_heads", "{}"),
            Map.entry("attn_logit_softcapping", "null"),
            Map.entry("use_bidirectional_attention", "false"),
            Map.entry("use_mrope", "false"),
            Map.entry("lm_head_bias", "false"),
            Map.entry("final_logit_softcapping", "null"),
            Map.entry("logits_scaling", "1"),
            Map.entry("logit_scale", "1"),
            Map.entry("attention_multiplier", "null"),
            Map.entry("embedding_multiplier", "1"),
            Map.entry("residual_multiplier", "1"),
            Map.entry("scale_emb", "1"),
            Map.entry("scale_depth", "null"),
            Map.entry("use_qk_norm", "false"),
            Map.entry("qk_norm", "false"),
            Map.entry("qk_layernorm", "false"),
            Map.entry("num_experts", "0"),
            Map.entry("num_local_experts", "0"),
            Map.entry("n_routed_experts", "0"),
            Map.entry("no_rope_layers", "[]"),
            Map.entry("no_rope_layer_interval", "null"),
            Map.entry("alibi", "false"),
            Map.entry("clip_qkv", "null"),
            Map.entry("parallel_attn", "false"),
            Map.entry("use_parallel_residual", "false"),
            Map.entry("bias", "false"),
            Map.entry("use_bias", "false"),
            Map.entry("qkv_bias", "false")));

    /** Keys of published checkpoints that do not change what the frozen model computes. */
    private static final Set<String> HARMLESS = Set.of(
            "_name_or_path", "_commit_hash", "_attn_implementation_autoset", "_attn_implementation", "attn_implementation",
            "transformers_version", "transformers.js_config", "is_llama_config", "unsloth_fixed", "unsloth_version",
            "initializer_range", "attention_dropout", "resid_pdrop", "embd_pdrop", "hidden_dropout", "use_cache", "use_flash_attn",
            "pad_token_id", "sep_token_id", "cls_token_id", "unk_token_id", "decoder_start_token_id", "tokenizer_class",
            "max_sequence_length", "model_max_length", "tokenizer_model_max_length", "tokenizer_padding_side",
            "output_attentions", "output_hidden_states", "output_scores", "return_dict", "return_dict_in_generate", "torchscript",
            "gradient_checkpointing", "chunk_size_feed_forward", "tie_encoder_decoder", "is_decoder", "cross_attention_hidden_size",
            "finetuning_task", "task_specific_params", "problem_type", "id2label", "label2id", "num_labels", "prefix", "use_bfloat16",
            "tf_legacy_loss", "max_length", "min_length", "max_new_tokens", "do_sample", "early_stopping", "num_beams",
            "num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty",
            "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences",
            "forced_bos_token_id", "forced_eos_token_id", "remove_invalid_values", "exponential_decay_length_penalty",
            "suppress_tokens", "begin_suppress_tokens", "max_window_layers", "auto_map", "cache_implementation");

    private ConfigKeyPolicy() {
    }

    /** The keys that must have their neutral value, but for families that have them. */
    static Set<String> refused() {
        return NEUTRAL.keySet();
    }

    /** Reports every key that requests an unsupported computation, and logs unknown keys. */
    static void apply(JsonFields fields, Object file, Family family) {
        Set<String> own = family.spec().keys();
        boolean noWindow = own.contains("sliding_window") || fields.take("use_sliding_window").filter(ConfigKeyPolicy::isNothing).isPresent();
        fields.take("sliding_window").filter(window -> !noWindow && !isNothing(window))
                .ifPresent(window -> refuse(fields, "sliding_window", "null"));
        fields.take("quantization_config").filter(value -> !isNothing(value) && !Int8Description.isIn(value))
                .ifPresent(value -> refuse(fields, "quantization_config", "compressed-tensors with 8 bits for each weight, symmetric, a scale for each row, or null"));
        NEUTRAL.forEach((key, neutral) -> fields.take(key)
                .filter(value -> !own.contains(key) && !isNothing(value) && !isNumber(value, neutral))
                .ifPresent(value -> refuse(fields, key, neutral)));
        if (!own.contains("layer_types")) {
            requireEvery(fields, "layer_types", "full_attention");
        }
        requireEvery(fields, "mlp_layer_types", "dense");
        for (String key : fields.unread()) {
            if (own.contains(key) || HARMLESS.contains(key)) {
                continue;
            }
            if (family.spec().toleratesUnknownKeys()) {
                LOG.warn("{}: key {} = {} is unknown and was not used: does the model depend on it?", file, Quoted.of(key), fields.shown(key));
            } else {
                fields.problems().add(Quoted.of(key) + " = " + fields.shown(key) + " is not known: of " + family.spec().modelType() + " the keys " + ConfigKey.known(own) + " are");
            }
        }
    }

    private static void requireEvery(JsonFields fields, String key, String only) {
        fields.take(key).ifPresent(list -> {
            boolean every = list.isArray();
            for (JsonNode item : list) {
                every &= only.equals(item.asText());
            }
            if (!every) {
                refuse(fields, key, "a list of \"" + only + "\"");
            }
        });
    }

    private static void refuse(JsonFields fields, String key, String neutral) {
        fields.problems().add(fields.name(key) + " = " + fields.shown(key) + " is not supported: only " + neutral + " is");
    }

    private static boolean isNothing(JsonNode value) {
        return value.isContainerNode() ? value.isEmpty() : value.isBoolean() && !value.booleanValue();
    }

    private static boolean isNumber(JsonNode value, String neutral) {
        return value.isNumber() && Character.isDigit(neutral.charAt(0)) && value.doubleValue() == Double.parseDouble(neutral);
    }
}
