package io.github.bts4j.examples.experiment;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** An experiment of seconds: models of a few thousand parameters on generated text. Not for instances. */
final class TinyExperiment {
    private static final String TRAINING = "{steps: 4, batch: 2, learning-rate: 1.0e-3, floor: 0.1, weight-decay: 0.1, switching: %s, mix: {%s}}";

    private TinyExperiment() {}

    /** Writes text and description into a folder; the description's path. */
    static Path write(Path folder, String methods) throws IOException {
        domain(folder, "english", "The hub reads line %d of the general text and the weather of day %d was fair.\\n");
        domain(folder, "code", "    int f%d(int x) {\\n        return x * %d;\\n    }\\n");
        domain(folder, "math", "From %d + %d it follows that the lemma holds for all numbers.\\n");
        Path tokenizer = Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer");
        String mix = "english: 2, code: 1, math: 1";
        Path file = folder.resolve("tiny.yaml");
        Files.writeString(file, String.join("\n",
                "output: out", "tokenizer: " + tokenizer, "frozen-precision: FLOAT32", "sequence-length: 48", "general: english", "domains:",
                "  english: {train: english.jsonl, held-out: english-held.jsonl}",
                "  code: {train: code.jsonl, held-out: code-held.jsonl}",
                "  math: {train: math.jsonl, held-out: math-held.jsonl}",
                "  sums: {arithmetic: SYMBOLS, problems: 60, per-document: 10}",
                "model: {hidden-size: 16, intermediate-size: 24, layers: 4, heads: 2, deviation: 0.1}",
                "seed: " + TRAINING.formatted("0.25", mix),
                "experts-keep-embeddings: true",
                "experts:",
                "  code: " + TRAINING.formatted("0", "code: 1"),
                "  math: " + TRAINING.formatted("0", "math: 3, english: 1"),
                "trainings:",
                "  short: " + TRAINING.formatted("0.25", mix),
                "projection-rate: 0.1",
                "methods:",
                methods,
                "evaluation: {domains: [english, code, math], cloze: [english], windows: 4, items: 4, problems: 4, method-bodies: 1, tasks-for: [" + tasksFor(methods) + "]}",
                "tables: {}", ""));
        return file;
    }

    /** The same with adapters in place of experts. */
    static Path write(Path folder, String methods, String adapters) throws IOException {
        Path file = write(folder, methods);
        return Files.writeString(file, Files.readString(file) + "adapters:\n" + adapters + "\n");
    }

    /** BTS where it is there, else the first method. */
    private static String tasksFor(String methods) {
        return methods.contains("  BTS: ") ? "BTS" : methods.strip().replaceFirst("(?s):.*", "");
    }

    private static void domain(Path folder, String name, String sentence) throws IOException {
        for (String part : new String[] {"", "-held"}) {
            StringBuilder lines = new StringBuilder();
            for (int document = 0; document < 12; document++) {
                StringBuilder text = new StringBuilder(name.equals("code") ? "package p" + document + ";\\nclass C {\\n" : "");
                for (int i = 0; i < 10; i++) {
                    text.append(String.format(sentence, document * 31 + part.length(), i * 7));
                }
                text.append(name.equals("code") ? "}" : "");
                lines.append("{\"text\": \"").append(text).append("\"}\n");
            }
            Files.writeString(folder.resolve(name + part + ".jsonl"), lines);
        }
    }
}
