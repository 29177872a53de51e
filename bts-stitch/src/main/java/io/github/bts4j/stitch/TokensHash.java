package io.github.bts4j.stitch;

import io.github.bts4j.core.support.Hashes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** The SHA-256 of what identifies a sequence's states, its token ids before all, each as 8 bytes, little-endian. */
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
            hashes.add(read(ByteBuffer.wrap(Hashes.sha256().digest(bytes.array()))));
        }
        return hashes;
    }
}
