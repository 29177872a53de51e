package io.github.bts4j.cli;

import io.github.bts4j.core.MismatchException;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.llama.Repacking;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.tokenizer.TokenizerDifference;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.Member;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options for loading models, shared by commands that generate or score. */
final class Models {
    @Mixin
    private FrozenOptions frozen;

    @Option(names = "--repack", negatable = true, fallbackValue = "true",
            description = "Copy the frozen weights into the Java heap (BTS_HEAP), in a layout with which a CPU decodes several sequences faster (default: only for models below 32 MiB).")
    private Boolean repack;

    LoadOptions options() {
        LoadOptions options = frozen.options();
        return repack == null ? options : options.withRepacking(repack ? Repacking.ALWAYS : Repacking.NEVER);
    }

    /** A model's folder, a GGUF file, or a stitch checkpoint's folder. */
    TextModel open(Path path) throws IOException {
        return TextModel.open(path, options());
    }

    static boolean isStitched(Path path) {
        return Files.exists(path.resolve(StitchCheckpoint.DESCRIPTION));
    }

    /** The folders of a stitched model's base models. */
    static List<Path> folders(StitchedModel model) {
        return model.members().stream().map(Member::folder).toList();
    }

    static boolean hasTokenizer(Path model) {
        return Checkpoint.isGguf(model) || Files.exists(model.resolve("tokenizer.json"));
    }

    /**
     * Refuses models whose token ids have different meanings. A model without a tokenizer is accepted.
     *
     * @param what the operation, for the message: "merged"
     */
    static void requireOneTokenizer(String what, List<Path> folders) throws IOException {
        List<Path> with = folders.stream().filter(Models::hasTokenizer).toList();
        for (int i = 1; i < with.size(); i++) {
            if (!haveSameFiles(with.get(0), with.get(i))) {
                requireOneTokenizer(what, with.get(0), with.get(i));
            }
        }
    }

    /** Large tokenizers take a second to open, and those of a seed and its experts are copies. */
    private static boolean haveSameFiles(Path first, Path second) throws IOException {
        for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
            if (!Files.isRegularFile(first.resolve(name)) || !Files.isRegularFile(second.resolve(name)) || Files.mismatch(first.resolve(name), second.resolve(name)) >= 0) {
                return false;
            }
        }
        return true;
    }

    /**
     * Refuses models whose token ids have different meanings.
     *
     * @param what the operation, for the message: "compared"
     */
    static void requireOneTokenizer(String what, Path first, Path second) {
        try (LlamaTokenizer one = LlamaTokenizer.open(first); LlamaTokenizer other = LlamaTokenizer.open(second)) {
            requireOneTokenizer(what, one, other);
        }
    }

    static void requireOneTokenizer(String what, LlamaTokenizer one, LlamaTokenizer other) {
        TokenizerDifference.between(one, other).ifPresent(difference -> {
            throw new MismatchException("Only models with the same tokenizer can be " + what + ": " + difference);
        });
    }

    /** Refuses an expert with a weight that is NaN or infinite. */
    static void requireFinite(StitchedModel model, String name) {
        model.models().get(model.modelNames().indexOf(name)).requireFiniteWeights();
    }

    /** {@code name=value}. */
    static String[] pair(String option, String text) {
        int at = text.indexOf('=');
        if (at < 1 || at + 1 == text.length()) {
            throw new IllegalArgumentException(option + " " + text + ": must be NAME=VALUE, such as code=path");
        }
        return new String[] {text.substring(0, at), text.substring(at + 1)};
    }

    /** The number after the last {@code =} of an option's value. */
    static double number(String option, String value, String text) {
        try {
            double number = Double.parseDouble(text);
            if (Double.isFinite(number)) {
                return number;
            }
        } catch (NumberFormatException e) {
            // reported below, with the option's name
        }
        throw new IllegalArgumentException(option + " " + value + ": '" + text + "' is not a number");
    }
}
