package io.github.bts4j.train.eval;

import io.github.bts4j.train.data.Window;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** SHA-256 over what was evaluated. Not for instances. */
final class Identity {
    private Identity() {}

    static String of(String text) {
        MessageDigest digest = digest();
        digest.update(text.getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(digest.digest());
    }

    static String of(List<Window> windows) {
        MessageDigest digest = digest();
        for (Window window : windows) {
            ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * (window.tokens().length + 1)).putInt(window.tokens().length);
            bytes.asIntBuffer().put(window.tokens());
            digest.update(bytes.array());
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java runtime has SHA-256", e);
        }
    }
}
