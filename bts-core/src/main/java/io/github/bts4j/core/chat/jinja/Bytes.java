package io.github.bts4j.core.chat.jinja;

import java.math.BigInteger;
import java.util.Arrays;

/** Python's bytes, which {@code encode} makes. */
record Bytes(byte[] value) {
    BigInteger get(int index) {
        return BigInteger.valueOf(value[index] & 0xff);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Bytes bytes && Arrays.equals(value, bytes.value);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(value);
    }
}
