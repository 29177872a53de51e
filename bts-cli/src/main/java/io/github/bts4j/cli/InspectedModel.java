package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.family.Traits;
import io.github.bts4j.stitch.Member;
import io.github.bts4j.stitch.Members;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * What a model is, in five lines: family and size, layers, context, tokenizer and template, and what it can be stitched with.
 *
 * @param path the checkpoint's folder, or a GGUF file
 * @param config its configuration
 * @param types the types of its tensors
 */
record InspectedModel(Path path, LlamaConfig config, List<String> types) {
    /** The lines; the last one is about another model, if one is given. */
    List<String> lines(long parameters, long bytes, long memory, List<Path> others) throws IOException {
        return List.of(
                String.format(Locale.ROOT, "%s: %,d parameters, %,d bytes of %s on disk", config.traits().family().spec().title(), parameters, bytes, String.join(", ", types)) + ModelSize.memoryText(config, memory, isKept()),
                String.format(Locale.ROOT, "%,d layers, hidden size %,d, %,d heads (%,d for keys and values) of %,d, feed-forward size %,d%s", config.numLayers(), config.hiddenSize(), config.numHeads(),
                        config.numKvHeads(), config.headDim(), config.intermediateSize(), differences(config.traits())),
                String.format(Locale.ROOT, "context of %,d tokens, vocabulary of %,d, %s", config.maxPositionEmbeddings(), config.vocabSize(),
                        config.tieWordEmbeddings() ? "head shared with the embeddings" : "its own head"),
                "tokenizer: " + tokenizer() + "; chat template: " + template(),
                others.isEmpty() ? String.format(Locale.ROOT, "hub or expert beside models of %,d layers, hidden size %,d and the same tokenizer", config.numLayers(), config.hiddenSize())
                        : fits(others.get(0)));
    }

    /** Whether matrices are in blocks that are multiplied as they are. */
    private boolean isKept() {
        return Checkpoint.isGguf(path) && types.stream().anyMatch(type -> GgmlType.valueOf(type).isMultiplied());
    }

    private String differences(Traits traits) {
        String windows = traits.window() == 0 ? "" : String.format(Locale.ROOT, ", a window of %,d tokens in %,d layers", traits.window(), traits.windowedLayers().size());
        return windows + (traits.unrotatedLayers().isEmpty() ? "" : String.format(Locale.ROOT, ", %,d layers without rotary embedding", traits.unrotatedLayers().size()));
    }

    private String tokenizer() {
        if (Checkpoint.isGguf(path)) {
            return "in the file";
        }
        return Files.exists(path.resolve("tokenizer.json")) ? "tokenizer.json" : "none";
    }

    private String template() {
        try {
            ChatTemplate.of(path);
            return "yes";
        } catch (IllegalArgumentException e) {
            return "none";
        } catch (IOException | RuntimeException e) {
            return "cannot be read";
        }
    }

    private List<String> problems(Path other) throws IOException {
        return Members.stitchProblems(new Member("this", path), new Member("other", other));
    }

    private String fits(Path other) throws IOException {
        List<String> problems = problems(other);
        return problems.isEmpty() ? "hub or expert of " + other + ": yes" : "hub or expert of " + other + ": no, " + String.join("; ", problems);
    }

    /** The same for programs. */
    void put(ObjectNode result, List<Path> others) throws IOException {
        result.put("tokenizer", tokenizer()).put("chat_template", template());
        types.forEach(result.putArray("types")::add);
        if (!others.isEmpty()) {
            problems(others.get(0)).forEach(result.putArray("problems_with_other")::add);
        }
    }
}
