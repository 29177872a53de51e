package io.github.bts4j.cli;

import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.examples.TinyCheckpoints;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The files that the documentation's commands name, tiny: models of 0.1 million parameters, and texts of some kilobytes. Not for instances. */
final class DocumentedFiles {
    private static final Map<String, String> SENTENCES = Map.of(
            "code.jsonl", "int f%d(int x) { return x * %d; } // and so on",
            "held-out-code.jsonl", "long g%d(long y) { return y + %d; } // as before",
            "general.jsonl", "It is line %d of the general text, and the weather of day %d is fair.",
            "held-out-general.jsonl", "It was line %d of another text, and the weather of day %d was foul.",
            "law.jsonl", "Section %d: whoever does not heed section %d shall read it again.",
            "held-out-law.jsonl", "Article %d: article %d remains in force until it does not.",
            "held-out-math.jsonl", "%d + %d = many, hence the lemma holds for all of them.");

    private DocumentedFiles() {}

    /** Writes them all. */
    static void write(Path folder) throws IOException {
        for (Map.Entry<String, String> text : SENTENCES.entrySet()) {
            StringBuilder lines = new StringBuilder();
            for (int document = 0; document < 60; document++) {
                lines.append("{\"text\": \"").append(String.format(text.getValue(), document, document * 7)).append("\"}\n");
            }
            Files.writeString(folder.resolve(text.getKey()), lines);
        }
        StringBuilder conversations = new StringBuilder();
        for (int number = 0; number < 60; number++) {
            conversations.append("{\"messages\": [{\"role\": \"user\", \"content\": \"").append(number).append("?\"}, {\"role\": \"assistant\", \"content\": \"Yes\"}]}\n");
        }
        Files.writeString(folder.resolve("chat.jsonl"), conversations);
        Files.copy(Page.ROOT.resolve("bts-parquet/src/test/resources/io/github/bts4j/parquet/zstd.parquet"), folder.resolve("math.parquet"));
        long number = 1;
        for (String name : List.of("seed", "expert-code", "expert-math", "expert-law")) {
            TinyCheckpoints.write(folder.resolve(name), number++);
        }
        Files.writeString(folder.resolve("seed").resolve("chat_template.jinja"), "{% for message in messages %}{{ message['content'] }}{% endfor %}");
        for (String model : StitchYourLorasTest.FILES) {
            Files.createDirectories(folder.resolve(model));
            copy(Page.ROOT.resolve(model), folder.resolve(model));
        }
        try (StitchedModel model = StitchedModel.builder().hub(folder.resolve("seed")).expert("code", folder.resolve("expert-code"))
                .expert("math", folder.resolve("expert-math")).config(StitchConfig.evenly(4, 4)).options(LoadOptions.defaults()).open()) {
            StitchCheckpoint.save(model, folder.resolve("stitched"));
        }
    }

    /** Copies a folder with all that lies in it. */
    static void copy(Path from, Path to) throws IOException {
        List<Path> all;
        try (Stream<Path> walk = Files.walk(from)) {
            all = walk.toList();
        }
        for (Path each : all) {
            Path target = to.resolve(from.relativize(each).toString());
            if (Files.isDirectory(each)) {
                Files.createDirectories(target);
            } else {
                Files.copy(each, target);
            }
        }
    }
}
