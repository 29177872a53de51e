package io.github.bts4j.stitch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;

/** The SHA-256 of a sequence's token ids, each as 8 bytes, little-endian. */
record TokensHash(long a, long b, long c, long d) {
    static final int BYTES = 32;

    static TokensHash read(ByteBuffer bytes) {
        return new TokensHash(bytes.getLong(), bytes.getLong(), bytes.getLong(), bytes.getLong());
    }

    void write(ByteBuffer bytes) {
        bytes.putLong(a).putLong(b).putLong(c).putLong(d);
    }

    static List<TokensHash> ofRows(long[] tokens, int rows) {
        int length = tokens.length / rows;
        ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES * length).order(ByteOrder.LITTLE_ENDIAN);
        List<TokensHash> hashes = new ArrayList<>();
        for (int row = 0; row < rows; row++) {
            bytes.asLongBuffer().put(tokens, row * length, length);
            hashes.add(read(ByteBuffer.wrap(sha256().digest(bytes.array()))));
        }
        return hashes;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java runtime has SHA-256", e);
        }
    }
}
