package io.github.bts4j.examples.benchmark;

import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.train.benchmark.BenchmarkShape;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;

/**
 * Writes a checkpoint with random weights and another checkpoint's tokenizer, for load tests: a token costs the same whether or not the
 * text makes sense. Arguments: shape ({@code s}, {@code m} or {@code l}), type, the new folder, and the folder with the tokenizer's files,
 * whose vocabulary must fit the shape's; then, if wanted, another context length.
 */
public final class RandomCheckpoint {
    private RandomCheckpoint() {
    }

    /**
     * Writes it.
     *
     * @param arguments see the class
     * @throws IOException if a file cannot be read or written
     */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 4 && arguments.length != 5) {
            System.err.println("usage: RandomCheckpoint s|m|l float32|bfloat16 FOLDER TOKENIZER_FOLDER [CONTEXT]");
            System.exit(2);
        }
        Precision precision = Precision.named(arguments[1]).orElseThrow(() -> new IllegalArgumentException(arguments[1] + " must be one of float32, bfloat16, float16"));
        Path folder = Path.of(arguments[2]);
        BenchmarkShape.valueOf(arguments[0].toUpperCase(Locale.ROOT)).write(folder, precision, 0);
        try (DirectoryStream<Path> files = Files.newDirectoryStream(Path.of(arguments[3]), "{tokenizer,special_tokens}*.json")) {
            for (Path file : files) {
                Files.copy(file, folder.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        if (arguments.length == 5) {
            Path config = folder.resolve("config.json");
            String changed = Files.readString(config).replaceFirst("(\"max_position_embeddings\"\\s*:\\s*)\\d+", "$1" + Integer.parseInt(arguments[4]));
            Files.writeString(config, changed);
        }
    }
}
