package io.github.bts4j.core.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What identifies a model: the SHA-256 of every file that defines it.
 *
 * @param files file name to 64 hexadecimal digits: config.json, tokenizer.json where there is one, and the safetensors
 */
public record ModelFingerprint(Map<String, String> files) {
    private static final int SHORT = 12;

    /**
     * Copies the map.
     *
     * @param files file name to 64 hexadecimal digits
     */
    public ModelFingerprint {
        files = Collections.unmodifiableMap(new TreeMap<>(files));
    }

    /**
     * Hashes a model's files.
     *
     * @param folder the model's folder
     * @return the fingerprint
     * @throws IOException if a file cannot be read
     */
    public static ModelFingerprint of(Path folder) throws IOException {
        List<Path> paths = new ArrayList<>(Checkpoint.open(folder).files());
        paths.add(folder.resolve("config.json"));
        if (Files.exists(folder.resolve("tokenizer.json"))) {
            paths.add(folder.resolve("tokenizer.json"));
        }
        Map<String, String> hashes = new TreeMap<>();
        for (Path path : paths) {
            hashes.put(path.getFileName().toString(), sha256(path));
        }
        return new ModelFingerprint(hashes);
    }

    /**
     * Hashes one file.
     *
     * @param file the file
     * @return 64 hexadecimal digits
     * @throws IOException if it cannot be read
     */
    public static String sha256(Path file) throws IOException {
        MessageDigest digest = newDigest();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
            while (channel.read(buffer) >= 0) {
                digest.update(buffer.flip());
                buffer.clear();
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /**
     * Hashes bytes.
     *
     * @param bytes the bytes
     * @return 64 hexadecimal digits
     */
    public static String sha256(byte[] bytes) {
        return HexFormat.of().formatHex(newDigest().digest(bytes));
    }

    private static MessageDigest newDigest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java runtime has SHA-256", e);
        }
    }

    /**
     * Where two models differ.
     *
     * @param other the model to compare with
     * @return each differing file with the beginnings of both hashes, this model's first; empty if all are equal
     */
    public Optional<String> difference(ModelFingerprint other) {
        List<String> differences = new ArrayList<>();
        TreeSet<String> names = new TreeSet<>(files.keySet());
        names.addAll(other.files.keySet());
        for (String name : names) {
            String ours = files.getOrDefault(name, "absent");
            String theirs = other.files.getOrDefault(name, "absent");
            if (!ours.equals(theirs)) {
                differences.add(name + " (" + shortened(ours) + ", not " + shortened(theirs) + ")");
            }
        }
        return differences.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", differences));
    }

    private static String shortened(String hash) {
        return hash.substring(0, Math.min(SHORT, hash.length()));
    }
}
