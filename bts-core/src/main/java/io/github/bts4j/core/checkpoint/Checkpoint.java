package io.github.bts4j.core.checkpoint;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.OutputException;
import io.github.bts4j.core.support.Problems;
import io.github.bts4j.core.support.Quoted;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The tensors of a checkpoint, whether it is one file or many.
 *
 * <p>Reads headers only. Shards must agree with their index in both directions: each tensor of the index is in the
 * shard that the index names and in no other, and no shard has a tensor that is not in the index. All disagreements
 * are reported at once.
 *
 * <p>Immutable and thread-safe. No file is held open, so there is nothing to close.
 */
public final class Checkpoint {

    /** The file of a checkpoint that is not split. */
    public static final String SINGLE_FILE = "model.safetensors";

    /** The index file of a sharded checkpoint. */
    public static final String INDEX_FILE = "model.safetensors.index.json";

    private static final byte[] GGUF_MAGIC = {'G', 'G', 'U', 'F'};

    private final List<Path> files;
    private final Optional<Path> index;
    private final TensorTable tensors;

    private Checkpoint(Path path, List<SafetensorsFile> shards, boolean split) {
        this.files = shards.stream().map(SafetensorsFile::file).toList();
        this.index = split ? Optional.of(path.resolve(INDEX_FILE)) : Optional.empty();
        this.tensors = new TensorTable(path, shards.stream().flatMap(shard -> shard.entries().stream()).toList());
    }

    /**
     * Whether a path is a file that begins as GGUF files do.
     *
     * @param path any path
     * @return true if {@link io.github.bts4j.core.checkpoint.gguf.GgufFile#open} reads it
     */
    public static boolean isGguf(Path path) {
        if (!Files.isRegularFile(path)) {
            return false;
        }
        try (InputStream in = Files.newInputStream(path)) {
            return Arrays.equals(in.readNBytes(GGUF_MAGIC.length), GGUF_MAGIC);
        } catch (IOException e) {
            return false; // opening it reports the reason
        }
    }

    /**
     * Opens a checkpoint.
     *
     * @param path a folder that holds {@value #SINGLE_FILE}, or {@value #INDEX_FILE} with the shards it names; or a
     *     safetensors file
     * @return the checkpoint's tensors
     * @throws ModelFormatException if nothing is found there, the folder holds both an index and a single file, a file
     *     is damaged, or index and shards disagree
     */
    public static Checkpoint open(Path path) {
        if (!Files.isDirectory(path)) {
            throwIf(path.toString().endsWith(".gguf") && Files.isRegularFile(path) && !isGguf(path),
                    () -> new ModelFormatException(path, "is not a GGUF file: it does not begin with the bytes GGUF; was it downloaded whole?"));
            return new Checkpoint(path, List.of(SafetensorsFile.open(path)), false);
        }
        Path single = path.resolve(SINGLE_FILE);
        Path index = path.resolve(INDEX_FILE);
        throwIf(Files.isRegularFile(single) && Files.isRegularFile(index),
                () -> new ModelFormatException(path, "holds both " + SINGLE_FILE + " and " + INDEX_FILE
                        + ": remove the one that is out of date, or open a .safetensors file directly"));
        if (Files.isRegularFile(single)) {
            return new Checkpoint(path, List.of(SafetensorsFile.open(single)), false);
        }
        if (Files.isRegularFile(index)) {
            return new Checkpoint(path, openShards(path, ShardIndex.read(index)), true);
        }
        refuseAdapter(path);
        throw new ModelFormatException(path, "holds neither " + SINGLE_FILE + " nor " + INDEX_FILE
                + ": is this the folder of a checkpoint in safetensors format?");
    }

    /**
     * Refuses the folder of an adapter where a full model is needed.
     *
     * @param folder a folder without a full model
     * @throws ModelFormatException if it holds an adapter
     */
    public static void refuseAdapter(Path folder) {
        throwIf(Files.isRegularFile(folder.resolve("adapter_config.json")),
                () -> new ModelFormatException(folder, "is an adapter, and a full model is needed here: merge it into its base first, with bts convert BASE OUT --adapter " + folder
                        + " or AdaptedLlama.merged"));
    }

    private static List<SafetensorsFile> openShards(Path folder, ShardIndex index) {
        Problems problems = new Problems();
        Map<String, SafetensorsFile> shards = new LinkedHashMap<>();
        for (String name : index.shards()) {
            try {
                shards.put(name, SafetensorsFile.open(resolve(folder, index, name)));
            } catch (ModelFormatException e) {
                problems.add(e.getMessage());
            }
        }
        Map<String, String> holders = holders(shards, index, problems);
        index.shardOf().forEach((tensor, shard) -> {
            SafetensorsFile opened = shards.get(shard);
            problems.addIf(opened != null && !opened.contains(tensor),
                    "tensor " + Quoted.of(tensor) + " should be in " + shard + ", but is "
                    + (holders.containsKey(tensor) ? "in " + holders.get(tensor) : "in no shard"));
        });
        throwIf(!problems.isEmpty(), () -> ModelFormatException.listing(
                index.file(), "index and shards disagree; are all files of the same download?", problems.all()));
        return List.copyOf(shards.values());
    }

    private static Path resolve(Path folder, ShardIndex index, String shard) {
        String refusal = "shard name " + Quoted.of(shard)
                + " is not the name of a .safetensors file inside the folder";
        try {
            if (ShardIndex.staysInside(shard)) {
                return folder.resolve(shard);
            }
        } catch (InvalidPathException e) {
            throw new ModelFormatException(index.file(), refusal, e);
        }
        throw new ModelFormatException(index.file(), refusal);
    }

    /** The actual shard of each tensor; records tensors in two shards and tensors that are not in the index. */
    private static Map<String, String> holders(
            Map<String, SafetensorsFile> shards, ShardIndex index, Problems problems) {
        Map<String, String> holders = new LinkedHashMap<>();
        shards.forEach((name, shard) -> shard.entries().forEach(entry -> {
            String tensor = "tensor " + Quoted.of(entry.name());
            String other = holders.putIfAbsent(entry.name(), name);
            if (other != null) {
                problems.add(tensor + " is in two shards, " + other + " and " + name);
            } else if (!index.shardOf().containsKey(entry.name())) {
                problems.add(tensor + " is in " + name + ", but not in the index");
            }
        }));
        return holders;
    }

    /**
     * Refuses a folder of shards, where another file of weights would make the checkpoint unreadable.
     *
     * @param folder where {@value #SINGLE_FILE} is to be written
     * @throws OutputException if it holds {@value #INDEX_FILE}
     */
    public static void requireNoShards(Path folder) {
        throwIf(Files.exists(folder.resolve(INDEX_FILE)),
                () -> new OutputException(folder, folder + " contains a sharded checkpoint (" + INDEX_FILE + "), which conflicts with " + SINGLE_FILE + ": remove it, or use another folder"));
    }

    /** {@return the files that hold the tensors: one file, or the shards sorted by name; not modifiable} */
    public List<Path> files() {
        return files;
    }

    /** {@return the index file of a checkpoint that is split; empty when the checkpoint is one file} */
    public Optional<Path> index() {
        return index;
    }

    /** {@return all tensors, file by file in the order of {@link #files()}, within a file in the order of their data; not modifiable} */
    public List<TensorEntry> entries() {
        return tensors.entries();
    }

    /**
     * Whether there is a tensor of a given name.
     *
     * @param name the tensor's name
     * @return true if {@link #entry(String)} would succeed
     */
    public boolean contains(String name) {
        return tensors.contains(name);
    }

    /**
     * Finds a tensor.
     *
     * @param name the tensor's name
     * @return its location
     * @throws ModelFormatException if no file has such a tensor
     */
    public TensorEntry entry(String name) {
        return tensors.entry(name);
    }

    /**
     * Reads a small tensor into memory.
     *
     * @param entry one of this checkpoint's entries
     * @return a new heap buffer in little-endian order with exactly the tensor's bytes, positioned at the first
     * @throws IllegalArgumentException if the entry is not of this checkpoint, or has 2 GiB or more
     * @throws ModelFormatException if the file cannot be read, or has become shorter since it was opened
     */
    public ByteBuffer read(TensorEntry entry) {
        return tensors.read(entry);
    }
}
