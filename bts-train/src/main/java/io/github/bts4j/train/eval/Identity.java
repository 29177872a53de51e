package io.github.bts4j.train.eval;

import io.github.bts4j.core.support.Hashes;
import io.github.bts4j.train.data.Window;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.List;

/** The SHA-256 of evaluated items. */
final class Identity {
    private Identity() {}

    static String of(String text) {
        return Hashes.sha256(text);
    }

    static String of(List<Window> windows) {
        MessageDigest digest = Hashes.sha256();
        for (Window window : windows) {
            ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * (window.tokens().length + 1)).putInt(window.tokens().length);
            bytes.asIntBuffer().put(window.tokens());
            digest.update(bytes.array());
        }
        return Hashes.hex(digest);
    }
}
