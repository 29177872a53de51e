package io.github.bts4j.core.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/** How text is cut into words before byte-level BPE joins bytes inside each word: what GGUF calls {@code tokenizer.ggml.pre}. */
enum SplitRule {
    /** llama.cpp's default: GPT-2's expression between runs of punctuation and of digits. */
    DEFAULT(Set.of("default"), "[\\p{P}\\$\\+<=>\\^~\\|]+", "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)", "\\p{N}+", "[0-9][0-9][0-9]"),
    /** GPT-2's expression. */
    GPT2(Set.of("gpt-2", "phi-2", "olmo", "mpt", "mellum", "trillion", "a.x-4.0", "exaone4", "granite-docling")),
    /** Single digits, then GPT-2's expression. */
    SMOLLM(Set.of("smollm", "starcoder", "refact", "codeshell", "command-r", "exaone", "minerva-7b")),
    /** Llama 3's expression: up to three digits, no case in contractions. */
    LLAMA3(Set.of("llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "midm-2.0"),
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
    /** The same, without Llama 3's other rules: no automatic begin token, no words as single tokens. */
    SMAUG(Set.of("smaug-bpe", "dbrx"), LLAMA3.expressions.toArray(String[]::new)),
    /** Qwen 2's: normal form C, single digits, no case in contractions. llama.cpp does not normalise; the models were trained on normalised text. */
    QWEN2(Set.of("qwen2"),
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
    /** The same expression without normalisation: DeepSeek's distilled models. */
    DISTILLED_QWEN(Set.of("deepseek-r1-qwen", "stablelm2", "megrez", "kormo"), QWEN2.expressions.toArray(String[]::new)),
    /** Mistral's expression since Nemo: words begin at upper case, single digits. */
    TEKKEN(Set.of("tekken"), "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
            + "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
    /** GPT-4o's expression, of Phi-4 mini: words begin at upper case and end in a contraction, up to three digits. */
    GPT4O(Set.of("gpt-4o", "llama4", "kanana2"), "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
            + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
            + "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+");

    private final Set<String> names;
    private final List<String> expressions;

    SplitRule(Set<String> names, String... expressions) {
        this.names = names;
        this.expressions = List.of(expressions);
    }

    static SplitRule of(Path file, String name) {
        for (SplitRule rule : values()) {
            if (rule.names.contains(name)) {
                return rule;
            }
        }
        throw new ModelFormatException(file, "tokenizer.ggml.pre = '" + name + "' is not supported: default, gpt-2, smollm, llama-bpe, smaug-bpe, qwen2, deepseek-r1-qwen, tekken and gpt-4o are, and their"
                + " aliases; give the model's tokenizer.json instead");
    }

    /** The name that is written. */
    String written() {
        return switch (this) {
            case DEFAULT -> "default";
            case GPT2 -> "gpt-2";
            case SMOLLM -> "smollm";
            case LLAMA3 -> "llama-bpe";
            case SMAUG -> "smaug-bpe";
            case QWEN2 -> "qwen2";
            case DISTILLED_QWEN -> "deepseek-r1-qwen";
            case TEKKEN -> "tekken";
            case GPT4O -> "gpt-4o";
        };
    }

    /** Whether a begin token is added by default. */
    boolean addsBos() {
        return this == LLAMA3 || this == TEKKEN;
    }

    /** Whether a word that is a token is not split. */
    boolean ignoresMerges() {
        return this == LLAMA3 || this == TEKKEN;
    }

    /** How text is normalised before it is cut. */
    JsonNode normalizer() {
        return this == QWEN2 ? JsonNodeFactory.instance.objectNode().put("type", "NFC") : JsonNodeFactory.instance.nullNode();
    }

    /** All names that GGUF files may give, in alphabetical order. */
    static List<String> known() {
        return Arrays.stream(values()).flatMap(rule -> rule.names.stream()).sorted().toList();
    }

    ObjectNode preTokenizer() {
        if (this == GPT2) {
            return GgufTokenizer.byteLevelPart("ByteLevel").put("use_regex", true);
        }
        ObjectNode sequence = JsonNodeFactory.instance.objectNode().put("type", "Sequence");
        ArrayNode steps = sequence.putArray("pretokenizers");
        if (this == SMOLLM) {
            steps.addObject().put("type", "Digits").put("individual_digits", true);
            steps.add(GgufTokenizer.byteLevelPart("ByteLevel").put("use_regex", true));
        } else {
            for (String expression : expressions) {
                steps.addObject().put("type", "Split").put("behavior", "Isolated").put("invert", false).putObject("pattern").put("Regex", expression);
            }
            steps.add(GgufTokenizer.byteLevelPart("ByteLevel"));
        }
        return sequence;
    }
}
