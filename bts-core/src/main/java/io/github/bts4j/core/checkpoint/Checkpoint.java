package io.github.bts4j.core.checkpoint;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** The tensors of a model: one safetensors file, or the shards that an index names. Immutable and thread-safe. */
public final class Checkpoint {
    /** The name of a model's only file. */
    public static final String SINGLE = "model.safetensors";

    /** The name of the index of a model in shards. */
    public static final String INDEX = "model.safetensors.index.json";

    private final List<Path> files;
    private final Map<String, TensorEntry> entries;

    private Checkpoint(List<Path> files, Map<String, TensorEntry> entries) {
        this.files = List.copyOf(files);
        this.entries = Collections.unmodifiableMap(entries);
    }

    /**
     * Opens a checkpoint; headers are read, tensors are not.
     *
     * @param path a folder with model.safetensors or with an index and its shards, or one safetensors file
     * @return the table of contents
     * @throws IOException if a file cannot be read
     * @throws ModelFormatException if a file is malformed, or index and shards disagree
     */
    public static Checkpoint open(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            return single(path);
        }
        if (Files.exists(path.resolve(SINGLE))) {
            return single(path.resolve(SINGLE));
        }
        if (Files.exists(path.resolve(INDEX))) {
            return sharded(path);
        }
        throw new NoSuchFileException(path.toString(), null, "the folder holds neither " + SINGLE + " nor " + INDEX);
    }

    private static Checkpoint single(Path file) throws IOException {
        return new Checkpoint(List.of(file), new LinkedHashMap<>(SafetensorsFile.open(file).entries()));
    }

    private static Checkpoint sharded(Path folder) throws IOException {
        Path index = folder.resolve(INDEX);
        Map<String, String> shardOf = weightMap(index);
        List<String> problems = new ArrayList<>();
        Map<String, SafetensorsFile> shards = new TreeMap<>();
        for (String shard : new TreeSet<>(shardOf.values())) {
            if (!Path.of(shard).equals(Path.of(shard).getFileName()) || shard.equals("..")) {
                problems.add("shard '" + shard + "' lies outside the folder");
            } else if (!Files.isRegularFile(folder.resolve(shard))) {
                problems.add("shard '" + shard + "' is missing");
            } else {
                shards.put(shard, SafetensorsFile.open(folder.resolve(shard)));
            }
        }
        Map<String, TensorEntry> entries = merge(shardOf, shards, problems);
        if (!problems.isEmpty()) {
            throw new ModelFormatException(index, "index and shards disagree:\n  - " + String.join("\n  - ", problems));
        }
        return new Checkpoint(shards.values().stream().map(SafetensorsFile::path).toList(), entries);
    }

    private static Map<String, TensorEntry> merge(Map<String, String> shardOf, Map<String, SafetensorsFile> shards, List<String> problems) {
        Map<String, TensorEntry> entries = new LinkedHashMap<>();
        shards.forEach((shard, file) -> file.entries().forEach((name, entry) -> {
            if (!shardOf.containsKey(name)) {
                problems.add("tensor '" + name + "' in " + shard + " is not in the index");
            } else if (entries.put(name, entry) != null) {
                problems.add("tensor '" + name + "' lies in two shards");
            }
        }));
        shardOf.forEach((name, shard) -> {
            if (shards.containsKey(shard) && !shards.get(shard).entries().containsKey(name)) {
                problems.add("tensor '" + name + "' is not in " + shard + ", where the index puts it");
            }
        });
        return entries;
    }

    private static Map<String, String> weightMap(Path index) throws IOException {
        JsonNode map;
        try {
            map = JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build()
                    .readTree(Files.readAllBytes(index)).path("weight_map");
        } catch (com.fasterxml.jackson.core.JacksonException e) {
            ModelFormatException exception = new ModelFormatException(index, "no valid JSON, or a name twice: " + e.getOriginalMessage());
            exception.initCause(e);
            throw exception;
        }
        if (!map.isObject() || map.isEmpty()) {
            throw new ModelFormatException(index, "weight_map is no JSON object with entries");
        }
        Map<String, String> shardOf = new LinkedHashMap<>();
        map.fields().forEachRemaining(field -> {
            if (!field.getValue().isTextual() || field.getValue().textValue().isBlank()) {
                throw new ModelFormatException(index, field.getKey(), -1, "its shard is " + field.getValue() + ", no file name");
            }
            shardOf.put(field.getKey(), field.getValue().textValue());
        });
        return shardOf;
    }

    /**
     * The files that hold the tensors.
     *
     * @return one file, or the shards in alphabetical order
     */
    public List<Path> files() {
        return files;
    }

    /**
     * The tensors.
     *
     * @return name to entry, unmodifiable
     */
    public Map<String, TensorEntry> entries() {
        return entries;
    }
}
