package io.github.bts4j.core.checkpoint;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The index of a sharded checkpoint: the file of each tensor. Immutable.
 *
 * @param file the index file
 * @param shardOf the name of the shard by the name of the tensor, in the order of the file
 */
record ShardIndex(Path file, Map<String, String> shardOf) {

    private static final long MAX_BYTES = SafetensorsHeader.MAX_BYTES;
    private static final String WEIGHT_MAP = "weight_map";

    /** Reads {@code weight_map}; other keys, such as {@code metadata}, are not needed. */
    static ShardIndex read(Path file) {
        JsonCursor cursor = new JsonCursor(file, content(file), 0);
        Map<String, String> shardOf = null;
        cursor.expect(JsonToken.START_OBJECT, "the index");
        while (cursor.nextKey()) {
            boolean found = cursor.text().equals(WEIGHT_MAP);
            if (found) {
                shardOf = readWeightMap(cursor);
            } else {
                cursor.next();
                cursor.skipValue();
            }
        }
        cursor.expectEnd();
        if (shardOf == null || shardOf.isEmpty()) {
            throw new ModelFormatException(file, "the key '" + WEIGHT_MAP + "' is "
                    + (shardOf == null ? "missing" : "empty") + "; it must name the shard of each tensor");
        }
        return new ShardIndex(file, shardOf);
    }

    private static byte[] content(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] json = in.readNBytes((int) MAX_BYTES + 1);
            throwIf(json.length > MAX_BYTES, () -> new ModelFormatException(
                    file, "more than " + MAX_BYTES + " bytes, the limit of an index; is this the right file?"));
            return json;
        } catch (IOException e) {
            throw ModelFormatException.unreadable(file, e);
        }
    }

    private static Map<String, String> readWeightMap(JsonCursor cursor) {
        Map<String, String> shardOf = new LinkedHashMap<>();
        cursor.expect(JsonToken.START_OBJECT, WEIGHT_MAP);
        while (cursor.nextKey()) {
            String tensor = cursor.text();
            cursor.enter(tensor);
            shardOf.put(tensor, cursor.nextString("the name of its shard"));
            cursor.leave();
        }
        return shardOf;
    }

    /** The names of the shards, sorted, each once. */
    List<String> shards() {
        return new ArrayList<>(new TreeSet<>(shardOf.values()));
    }

    /**
     * Whether a shard's name stays within the folder: a relative path of plain names that ends in .safetensors.
     * Links may point outside the folder, as in the Hugging Face cache.
     */
    static boolean staysInside(String shard) {
        return shard.endsWith(".safetensors")
                && shard.chars().noneMatch(c -> c == '\\' || c == ':' || Character.isISOControl(c))
                && Arrays.stream(shard.split("/", -1))
                        .noneMatch(part -> part.isEmpty() || part.equals(".") || part.equals(".."));
    }
}
