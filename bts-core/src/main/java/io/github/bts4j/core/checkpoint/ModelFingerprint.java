package io.github.bts4j.core.checkpoint;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.support.Hashes;
import io.github.bts4j.core.support.Quoted;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The identity of a model, byte for byte: the SHA-256 of each file that defines it.
 *
 * <p>These files are {@code config.json}, the safetensors files that {@link Checkpoint} uses, their index, and
 * {@code tokenizer.json} if there is one; or the one GGUF file, recorded as {@code model.gguf} regardless of its name; of a split one
 * the parts, as {@code model-00001-of-00003.gguf} and so on. A stitch checkpoint records the fingerprints of the models it was trained on
 * and compares them when it is loaded. Any JSON mapper for records writes and reads it as
 * <code>{"files": {"config.json": "9f86d0..."}}</code>.
 *
 * <p>Immutable and thread-safe.
 *
 * @param files the SHA-256 as 64 lower-case hexadecimal digits by file name, relative to the folder with {@code /}
 *     between folders; sorted by name, not modifiable
 */
public record ModelFingerprint(Map<String, String> files) {

    private static final int BUFFER_BYTES = 1 << 18;
    private static final int SHOWN_DIGITS = 12;
    private static final String CONFIG = "config.json";
    private static final String GGUF = "model.gguf"; // the same for any file name, since there is only one file
    private static final String TOKENIZER = "tokenizer.json";

    /**
     * Copies and checks the hashes.
     *
     * @param files the SHA-256 by file name
     * @throws IllegalArgumentException if a hash is not 64 lower-case hexadecimal digits
     */
    public ModelFingerprint {
        files = Collections.unmodifiableMap(new TreeMap<>(files));
        files.forEach((name, hash) -> {
            throwIf(!Objects.requireNonNull(hash, name).matches("[0-9a-f]{64}"),
                    () -> new IllegalArgumentException("SHA-256 of " + name + " = " + Quoted.of(hash)
                            + " is not 64 lower-case hexadecimal digits"));
        });
    }

    /**
     * Computes the fingerprint of a model; reads all of its files.
     *
     * @param folder a folder with {@code config.json} and a checkpoint, or a GGUF file
     * @return its fingerprint
     * @throws ModelFormatException if a file is missing, cannot be read, or the checkpoint is damaged
     */
    public static ModelFingerprint of(Path folder) {
        if (Checkpoint.isGguf(folder)) {
            return new ModelFingerprint(hashes(GgufParts.of(folder).files()));
        }
        Map<String, String> files = new TreeMap<>();
        for (Path file : files(folder)) {
            files.put(folder.relativize(file).toString().replace('\\', '/'), sha256(file));
        }
        return new ModelFingerprint(files);
    }

    private static Map<String, String> hashes(List<Path> parts) {
        Map<String, String> hashes = new TreeMap<>();
        for (int i = 0; i < parts.size(); i++) {
            hashes.put(parts.size() == 1 ? GGUF : String.format(Locale.ROOT, "model-%05d-of-%05d.gguf", i + 1, parts.size()), sha256(parts.get(i)));
        }
        return hashes;
    }

    /**
     * The fingerprint of an adapter of this model: the adapter's files by their names, and the base's with the prefix {@code base/}.
     *
     * @param adapter the files of the adapter
     * @return the fingerprint of both
     * @throws ModelFormatException if a file is missing or cannot be read
     */
    public ModelFingerprint withAdapter(List<Path> adapter) {
        Map<String, String> both = new TreeMap<>();
        files.forEach((name, hash) -> both.put("base/" + name, hash));
        adapter.forEach(file -> both.put(file.getFileName().toString(), sha256(file)));
        return new ModelFingerprint(both);
    }

    /** The files that define a model. */
    static List<Path> files(Path folder) {
        if (Checkpoint.isGguf(folder)) {
            return GgufParts.of(folder).files();
        }
        throwIf(!Files.isDirectory(folder),
                () -> new ModelFormatException(folder, "neither a GGUF file nor a folder; give the folder that holds " + CONFIG));
        Checkpoint checkpoint = Checkpoint.open(folder);
        List<Path> used = new ArrayList<>(checkpoint.files());
        checkpoint.index().ifPresent(used::add);
        used.add(folder.resolve(CONFIG));
        if (Files.exists(folder.resolve(TOKENIZER))) {
            used.add(folder.resolve(TOKENIZER));
        }
        return used;
    }

    /**
     * Computes the SHA-256 of a file of any size.
     *
     * @param file a regular file
     * @return 64 lower-case hexadecimal digits
     * @throws ModelFormatException if the file is missing or cannot be read
     */
    public static String sha256(Path file) {
        throwIf(!Files.isRegularFile(file), () -> new ModelFormatException(file, Files.exists(file)
                ? "not a regular file"
                : "the file does not exist; is the model complete?"));
        MessageDigest digest = Hashes.sha256();
        byte[] buffer = new byte[BUFFER_BYTES];
        try (InputStream in = Files.newInputStream(file)) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                digest.update(buffer, 0, count);
            }
        } catch (IOException e) {
            throw ModelFormatException.unreadable(file, e);
        }
        return Hashes.hex(digest);
    }

    /**
     * Computes the SHA-256 of bytes in memory, for example of weights that must stay frozen.
     *
     * @param bytes the bytes between position and limit; left unchanged
     * @return 64 lower-case hexadecimal digits
     */
    public static String sha256(ByteBuffer bytes) {
        MessageDigest digest = Hashes.sha256();
        digest.update(bytes.duplicate());
        return Hashes.hex(digest);
    }

    /**
     * Describes how the model that was found differs from the recorded one, which this fingerprint identifies.
     *
     * @param found the fingerprint of the actual model
     * @return one part per file that differs, with the first 12 digits of both hashes, joined by {@code "; "}; empty if
     *     the two are equal
     */
    public String describeDifference(ModelFingerprint found) {
        Set<String> names = new TreeSet<>(files.keySet());
        names.addAll(found.files.keySet());
        List<String> differences = new ArrayList<>();
        for (String name : names) {
            String here = files.get(name);
            String there = found.files.get(name);
            if (!Objects.equals(here, there)) {
                differences.add(name + ": recorded " + shown(here) + ", found " + shown(there));
            }
        }
        return String.join("; ", differences);
    }

    private static String shown(String hash) {
        return hash == null ? "no such file" : "SHA-256 " + hash.substring(0, SHOWN_DIGITS) + "...";
    }
}
