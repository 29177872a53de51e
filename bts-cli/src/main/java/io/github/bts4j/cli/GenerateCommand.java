package io.github.bts4j.cli;

import io.github.bts4j.core.generate.GenerationResult;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.text.TextModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "generate", description = "Continue a text.",
        footer = {"", "Examples:", "  bts generate stitched \"public static int max(\" --max-tokens 60", "  bts generate model.gguf \"It was\" --temperature 0 --json"})
final class GenerateCommand extends OutputCommand {
    @Parameters(paramLabel = "MODEL", description = "A checkpoint folder, a GGUF file, or a stitch checkpoint's folder.")
    private Path model;

    @Parameters(paramLabel = "PROMPT", description = "The text to continue.")
    private String prompt;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Mixin
    private SamplingOptions sampling;

    @Mixin
    private Models models;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = output();
        try (TextModel text = models.open(model); TokenStream stream = text.stream(prompt, sampling.config())) {
            if (!json) {
                out.print(prompt);
            }
            long begin = System.nanoTime();
            while (stream.hasNext()) {
                String piece = stream.next().text();
                if (!json) {
                    out.print(piece);
                    out.flush();
                }
            }
            double seconds = (System.nanoTime() - begin) / 1e9;
            GenerationResult result = stream.result();
            out.println(json ? JsonReader.object().put("text", result.text()).put("stop_reason", result.stopReason().name())
                    .put("prompt_tokens", result.promptTokens()).put("tokens", result.tokens().size()).put("log_prob", result.logProb()).put("tokens_per_second", result.tokens().size() / seconds).toString() : "");
            return 0;
        }
    }
}
