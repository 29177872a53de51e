package io.github.bts4j.core.hub;

import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.support.JsonReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** The files of a repository that a model needs. Stateless. */
final class HubFiles {
    private static final Set<String> SMALL = Set.of("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
            "chat_template.jinja", "adapter_config.json", "stitch.json", "router.json");
    private static final List<String> WEIGHTS = List.of(Checkpoint.SINGLE_FILE, Checkpoint.INDEX_FILE, "adapter_model.safetensors");

    private HubFiles() {}

    /** Whether a name stays inside its folder: a relative path of plain names. */
    static boolean isSafe(String name) {
        return !name.isEmpty() && name.length() <= 500 && name.chars().noneMatch(c -> c == '\\' || c == ':' || Character.isISOControl(c))
                && List.of(name.split("/", -1)).stream().noneMatch(part -> part.isEmpty() || part.equals(".") || part.equals(".."));
    }

    /** The files without the shards, which the index names. */
    static List<String> first(Collection<String> all) {
        boolean single = all.contains(Checkpoint.SINGLE_FILE);
        return all.stream().filter(name -> SMALL.contains(name) || name.matches("additional_chat_templates/[^/]+\\.jinja") || name.matches("(stitch|router)-[0-9a-f]{16}\\.safetensors")
                || WEIGHTS.contains(name) && !(single && name.equals(Checkpoint.INDEX_FILE))).sorted().toList();
    }

    /** The shards that the index of a folder names; none if there is no index. */
    static Set<String> shards(Path folder) throws IOException {
        Path index = folder.resolve(Checkpoint.INDEX_FILE);
        Set<String> shards = new TreeSet<>();
        if (Files.isRegularFile(index) && !Files.isRegularFile(folder.resolve(Checkpoint.SINGLE_FILE))) {
            JsonReader.LENIENT.object(index, ModelFormatException::new).path("weight_map").forEach(shard -> shards.add(shard.asText()));
            shards.stream().filter(name -> !isSafe(name)).findFirst().ifPresent(name -> {
                throw new ModelFormatException(index, "names the shard '" + name + "', which is not a file of the folder");
            });
        }
        return shards;
    }

    /** What a folder of the cache lacks to be a model. */
    static List<String> missing(Path folder) throws IOException {
        if (has(folder, "stitch.json") || has(folder, "router.json")) {
            return List.of();
        }
        List<String> missing = new ArrayList<>();
        boolean adapter = has(folder, "adapter_config.json") && !has(folder, "config.json");
        if (!adapter && !has(folder, "config.json")) {
            missing.add("config.json");
        }
        if (adapter && !has(folder, "adapter_model.safetensors")) {
            missing.add("adapter_model.safetensors");
        }
        if (!adapter && !has(folder, Checkpoint.SINGLE_FILE) && !has(folder, Checkpoint.INDEX_FILE)) {
            missing.add(Checkpoint.SINGLE_FILE);
        }
        shards(folder).stream().filter(shard -> !has(folder, shard)).forEach(missing::add);
        return missing;
    }

    private static boolean has(Path folder, String name) {
        return Files.isRegularFile(folder.resolve(name));
    }
}
