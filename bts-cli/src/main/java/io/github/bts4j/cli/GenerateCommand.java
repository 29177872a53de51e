package io.github.bts4j.cli;

import io.github.bts4j.core.generate.GenerationResult;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.train.cluster.Cluster;
import io.github.bts4j.train.data.Document;
import io.github.bts4j.train.data.JsonLines;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

@Command(name = "generate", description = "Continue a text, or each text of a file.",
        footer = {"", "Examples:", "  bts generate stitched \"public static int max(\" --max-tokens 60", "  bts generate model.gguf \"It was\" --temperature 0 --json", "  bts generate stitched --prompts prompts.jsonl --seed 1"})
final class GenerateCommand extends OutputCommand {
    private static final int PER_PLACE = 16;

    @Parameters(index = "0", paramLabel = "MODEL", description = "A checkpoint folder, a GGUF file, or a stitch checkpoint's folder.")
    private Path model;

    @Parameters(index = "1", arity = "0..1", paramLabel = "PROMPT", description = "The text to continue.")
    private String prompt;

    @Option(names = "--prompts", paramLabel = "FILE", description = "Continue each text of a file instead, each by itself: JSON lines in, a line of JSON for each out.")
    private Path prompts;

    @Option(names = "--field", paramLabel = "NAME", description = "With --prompts, the JSON field with the text (default: text).")
    private String field;

    @Option(names = "--json", description = "Print JSON; with --prompts in any case.")
    private boolean json;

    @Mixin
    private SamplingOptions sampling;

    @Mixin
    private Models models;

    @Mixin
    private ClusterOption cluster;

    @Override
    public Integer call() throws IOException {
        if (prompt == null == (prompts == null)) {
            throw new ParameterException(spec().commandLine(), prompt == null ? "PROMPT is missing: give a text, or a file of texts with --prompts" : "--prompts " + prompts + " and PROMPT exclude each other: give one");
        }
        return prompts == null ? continueOne() : continueAll();
    }

    private Integer continueAll() throws IOException {
        PrintWriter out = output();
        Continuation how = new Continuation(sampling.sampling());
        if (!Files.exists(prompts)) {
            throw new IllegalArgumentException("--prompts " + prompts + " does not exist");
        }
        try (Cluster there = cluster.open().orElse(null); TextModel here = there == null ? models.open(model) : null;
                Stream<Document> documents = new JsonLines(prompts, field == null ? "text" : field, 0).documents()) {
            int atOnce = there == null ? 1 : PER_PLACE * there.parallelism();
            List<Continuation.Prompt> some = new ArrayList<>();
            long number = 0;
            for (Iterator<Document> each = documents.iterator(); each.hasNext();) {
                some.add(new Continuation.Prompt(number++, each.next().text()));
                if (some.size() == atOnce || !each.hasNext()) {
                    (there == null ? some.stream().map(one -> how.of(here, one)).toList() : there.withModel(model, models.options(), some, how)).forEach(out::println);
                    out.flush();
                    some.clear();
                }
            }
            return 0;
        }
    }

    private Integer continueOne() throws IOException {
        cluster.refuse("one prompt is one task, which needs no cluster: give several with --prompts, or omit it");
        if (field != null) {
            throw new IllegalArgumentException("--field " + field + " needs --prompts: a prompt has no fields");
        }
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
