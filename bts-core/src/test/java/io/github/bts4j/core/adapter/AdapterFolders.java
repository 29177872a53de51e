package io.github.bts4j.core.adapter;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Adapters that PEFT made, trained and saved (src-test-data/adapters/generate.py), and the bases that they belong to. */
public final class AdapterFolders {
    /** Where they lie. */
    public static final Path ROOT = Path.of(System.getProperty("bts4j.testData"), "adapters");

    private AdapterFolders() {}

    /** All of them. */
    public static List<Path> all() {
        try (Stream<Path> folders = Files.list(ROOT)) {
            return folders.filter(folder -> Files.exists(folder.resolve(AdapterConfig.FILE))).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The base that an adapter names. */
    public static Path base(Path adapter) throws IOException {
        return adapter.resolve(new ObjectMapper().readTree(adapter.resolve(AdapterConfig.FILE).toFile()).get("base_model_name_or_path").textValue()).normalize();
    }
}
