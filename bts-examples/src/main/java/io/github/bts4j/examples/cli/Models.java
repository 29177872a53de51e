package io.github.bts4j.examples.cli;

import ai.djl.Device;
import io.github.bts4j.core.FrozenLm;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaModel;
import io.github.bts4j.core.llama.LoadOptions;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.llama.Quantization;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.Option;

/** How models are loaded; options of most commands. */
final class Models {
    @Option(names = "--dtype", paramLabel = "TYPE", description = "Type to compute in: float32, bfloat16 or float16; the checkpoint's own if not given.")
    private String dtype;

    @Option(names = "--int8", description = "Hold the frozen weights in int8: half of bfloat16's memory, and faster decoding on a CPU.")
    private boolean int8;

    @Option(names = "--repack", negatable = true, fallbackValue = "true",
            description = "Copy the frozen weights into the Java heap (BTS_HEAP), in an order in which the CPU decodes several sessions faster; without it, only models below 32 MiB.")
    private Boolean repack;

    @Option(names = "--device", paramLabel = "DEVICE", defaultValue = "cpu", description = "cpu, gpu0, gpu1, .. (default: ${DEFAULT-VALUE}).")
    private String device;

    LoadOptions options() {
        if (!device.matches("cpu|gpu\\d*")) {
            throw new IllegalArgumentException("--device " + device + " is none of cpu, gpu0, gpu1, ..");
        }
        LoadOptions options = LoadOptions.defaults().withDevice(Device.fromName(device));
        if (dtype != null) {
            options = options.withPrecision(Precision.named(dtype)
                    .orElseThrow(() -> new IllegalArgumentException("--dtype " + dtype + " is none of float32, bfloat16, float16")));
        }
        if (repack != null) {
            options = options.withRepacking(repack);
        }
        return int8 ? options.withQuantization(Quantization.INT8) : options;
    }

    /** A model's folder, a GGUF file, or a stitch checkpoint's folder. */
    FrozenLm open(Path path) throws IOException {
        if (!Files.exists(path)) {
            throw new IllegalArgumentException(path + " does not exist: a model is a checkpoint folder, a GGUF file, or the folder of a stitch checkpoint");
        }
        return isStitched(path) ? StitchCheckpoint.open(path, options()) : LlamaModel.open(path, options());
    }

    static boolean isStitched(Path path) {
        return Files.exists(path.resolve(StitchCheckpoint.DESCRIPTION));
    }

    /** Where the tokenizer and the chat template lie: with the model, or with a stitched model's hub. */
    static Path files(Path path, FrozenLm model) {
        return model instanceof StitchedModel stitched ? stitched.members().get(0).folder() : path;
    }

    static LlamaConfig config(FrozenLm model) {
        return model instanceof StitchedModel stitched ? stitched.models().get(0).config() : ((LlamaModel) model).config();
    }

    static Set<Integer> eos(FrozenLm model) {
        return new TreeSet<>(config(model).eosTokenIds());
    }

    /** {@code name=value}. */
    static String[] pair(String option, String text) {
        int at = text.indexOf('=');
        if (at < 1 || at + 1 == text.length()) {
            throw new IllegalArgumentException(option + " " + text + ": NAME=VALUE is needed, such as code=path");
        }
        return new String[] {text.substring(0, at), text.substring(at + 1)};
    }
}
