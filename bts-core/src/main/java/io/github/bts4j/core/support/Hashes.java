package io.github.bts4j.core.support;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 and SHA-1, which every Java platform has. Thread-safe. */
public final class Hashes {
    private Hashes() {}

    /** {@return an empty SHA-256 digest} */
    public static MessageDigest sha256() {
        return digest("SHA-256");
    }

    /**
     * An empty digest of the kind that git names objects by.
     *
     * @return SHA-1, to be updated
     */
    public static MessageDigest sha1() {
        return digest("SHA-1");
    }

    private static MessageDigest digest(String name) {
        try {
            return MessageDigest.getInstance(name);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java runtime lacks " + name + ", which every Java platform has to provide", e);
        }
    }

    /**
     * The hash of bytes in memory.
     *
     * @param content the bytes
     * @return 64 lower-case hexadecimal digits
     */
    public static String sha256(byte[] content) {
        return hex(sha256().digest(content));
    }

    /**
     * The hash of a text in UTF-8.
     *
     * @param text the text
     * @return 64 lower-case hexadecimal digits
     */
    public static String sha256(String text) {
        return sha256(text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * The hash of a digest.
     *
     * @param digest the digest, which is reset
     * @return lower-case hexadecimal digits
     */
    public static String hex(MessageDigest digest) {
        return hex(digest.digest());
    }

    private static String hex(byte[] hash) {
        return HexFormat.of().formatHex(hash);
    }
}
