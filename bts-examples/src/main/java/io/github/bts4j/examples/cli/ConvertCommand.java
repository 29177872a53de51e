package io.github.bts4j.examples.cli;

import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.llama.LlamaModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(name = "convert", aliases = "branch", description = "Write a model as a Hugging Face checkpoint: a copy to branch from, a GGUF file as safetensors, another --dtype, or --int8 weights.")
final class ConvertCommand extends OutputCommand {
    static final List<String> TOKENIZER_FILES = List.of("tokenizer.json", "tokenizer_config.json", "generation_config.json", "special_tokens_map.json",
            "chat_template.jinja");

    @Parameters(paramLabel = "MODEL", description = "A checkpoint folder or a GGUF file.")
    private Path model;

    @Parameters(paramLabel = "OUT", description = "The new folder.")
    private Path out;

    @Mixin
    private Models models;

    @Override
    public Integer call() throws IOException {
        try (LlamaModel lm = LlamaModel.open(model, models.options())) {
            lm.save(out);
            for (String name : TOKENIZER_FILES) {
                if (Files.isDirectory(model) && Files.exists(model.resolve(name))) {
                    AtomicFiles.write(out.resolve(name), Files.readAllBytes(model.resolve(name)));
                }
            }
            output().println("Saved " + out + (Files.isDirectory(model) ? "" : "; the tokenizer stays in the GGUF file"));
            return 0;
        }
    }
}
