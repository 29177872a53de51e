package io.github.bts4j.train.data;

import io.github.bts4j.core.support.Hashes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;

/** Identifies the tokens of a dataset. */
final class TokenFingerprint {
    private static final int HASHED_TOKENS = 1 << 14;

    private TokenFingerprint() {}

    /** SHA-256 over: documents; tokens and bytes of each (64 bits); all token ids (32 bits); little-endian. */
    static String of(TokenStore tokens, int[] ends, long[] documentBytes) {
        MessageDigest digest = Hashes.sha256();
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putLong(ends.length);
        for (int i = 0; i < ends.length; i++) {
            drain(buffer, digest, Long.BYTES * 2);
            buffer.putLong(ends[i] - (i == 0 ? 0 : ends[i - 1])).putLong(documentBytes[i]);
        }
        int[] part = new int[HASHED_TOKENS];
        for (int from = 0; from >= 0 && from < tokens.size(); from += HASHED_TOKENS) {
            int length = Math.min(HASHED_TOKENS, tokens.size() - from);
            tokens.copy(from, length, part, 0);
            for (int i = 0; i < length; i++) {
                drain(buffer, digest, Integer.BYTES);
                buffer.putInt(part[i]);
            }
        }
        drain(buffer, digest, buffer.capacity());
        return Hashes.hex(digest);
    }

    private static void drain(ByteBuffer buffer, MessageDigest digest, int needed) {
        if (buffer.remaining() < needed) {
            digest.update(buffer.flip());
            buffer.clear();
        }
    }
}
