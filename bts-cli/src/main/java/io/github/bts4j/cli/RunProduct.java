package io.github.bts4j.cli;

import io.github.bts4j.core.FileFormatException;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.support.JsonReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The record of a run's output, {@code saved.json} in the run's folder: it allows a run to replace its own output. */
final class RunProduct {
    private static final String FILE = "saved.json";

    private RunProduct() {}

    /** Records the files of a folder, all of which the run made. */
    static void record(Path run, Path out) throws IOException {
        AtomicFiles.write(run.resolve(FILE), JsonReader.pretty(hashes(out)));
    }

    /** The files that the run made, with their SHA-256; empty if it has not saved anything yet. */
    static Map<String, String> of(Path run) throws IOException {
        Path file = run.resolve(FILE);
        if (!Files.exists(file)) {
            return Map.of();
        }
        try {
            Map<String, String> made = new TreeMap<>();
            JsonReader.STRICT.object(file, FileFormatException::of).properties().forEach(entry -> made.put(entry.getKey(), entry.getValue().asText()));
            return made;
        } catch (FileFormatException e) {
            return Map.of(); // treated as missing: the folder then belongs to another run
        }
    }

    /** Whether a folder contains exactly the recorded files. */
    static boolean isWhatIsThere(Map<String, String> made, Path out) throws IOException {
        return !made.isEmpty() && made.equals(hashes(out));
    }

    private static Map<String, String> hashes(Path out) throws IOException {
        Map<String, String> hashes = new TreeMap<>();
        try (Stream<Path> entries = Files.list(out)) {
            for (Path file : entries.toList()) {
                hashes.put(file.getFileName().toString(), Files.isDirectory(file) ? "a folder" : ModelFingerprint.sha256(file));
            }
        }
        return hashes;
    }
}
