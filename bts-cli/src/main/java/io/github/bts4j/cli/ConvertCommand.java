package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.gguf.GgufFile;
import io.github.bts4j.core.checkpoint.gguf.GgufMetadata;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(name = "convert", description = "Write a model as a Hugging Face checkpoint: a GGUF file as safetensors with its tokenizer and chat template, another --dtype, or --int8 weights; an adapter merged into its base, or extracted from an expert.",
        footer = {"", "Examples:", "  bts convert model.gguf model", "  bts convert model model-int8 --int8", "  bts convert seed law-full --adapter law", "  bts convert expert-law law-16 --extract-from seed --rank 16"})
final class ConvertCommand extends OutputCommand {
    static final List<String> TOKENIZER_FILES = List.of("tokenizer.json", "tokenizer_config.json", "generation_config.json", "special_tokens_map.json",
            "chat_template.jinja");

    @Parameters(paramLabel = "MODEL", description = "A checkpoint folder or a GGUF file.")
    private Path model;

    @Parameters(paramLabel = "OUT", description = "The new folder.")
    private Path out;

    @Mixin
    private StoredType stored;

    @Mixin
    private AdapterConversion adapters;

    @Mixin
    private OutputFolder output;

    @Mixin
    private Outcome outcome;

    @Override
    public Integer call() throws IOException {
        output.check("OUT " + out, out, adapters.inputs(model));
        if (adapters.isExtraction()) {
            return extract();
        }
        output.write(out, folder -> {
            if (adapters.isMerge()) {
                adapters.merge(model, folder, stored.options());
            } else {
                copy(model, folder, stored.options());
            }
        });
        outcome.print("Saved " + out, Outcome.made(out));
        return 0;
    }

    private int extract() throws IOException {
        ObjectNode result = JsonReader.object();
        StringBuilder lines = new StringBuilder();
        output.write(out, folder -> lines.append(adapters.extract(model, folder, result)));
        outcome.print(lines + "Saved the adapter to " + out, Outcome.made(out).setAll(result));
        return 0;
    }

    /** A model with its tokenizer. */
    static void copy(Path model, Path out, LoadOptions options) throws IOException {
        try (LlamaModel lm = LlamaModel.open(model, options.withWeights(Weights.DEQUANTIZED))) {
            lm.save(out);
        }
        copyFiles(model, out);
    }

    /** Everything but the weights: tokenizer, chat template and so on. */
    static void copyFiles(Path model, Path out) throws IOException {
        if (Checkpoint.isGguf(model)) {
            copyTokenizer(model, GgufFile.open(model).metadata(), out);
            return;
        }
        for (String name : TOKENIZER_FILES) {
            if (Files.exists(model.resolve(name))) {
                AtomicFiles.write(out.resolve(name), Files.readAllBytes(model.resolve(name)));
            }
        }
    }

    private static void copyTokenizer(Path model, GgufMetadata metadata, Path out) throws IOException {
        if (metadata.keys().contains("tokenizer.ggml.tokens")) {
            try (LlamaTokenizer tokenizer = LlamaTokenizer.open(model)) {
                tokenizer.save(out);
            }
        }
        Optional<String> template = metadata.text("tokenizer.chat_template");
        if (template.isPresent()) {
            AtomicFiles.write(out.resolve("chat_template.jinja"), template.get());
        }
    }
}
