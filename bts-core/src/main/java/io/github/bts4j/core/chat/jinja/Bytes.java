package io.github.bts4j.core.chat.jinja;

import java.util.Arrays;

/** Python's bytes, which {@code encode} makes. */
record Bytes(byte[] value) {
    @Override
    public boolean equals(Object other) {
        return other instanceof Bytes bytes && Arrays.equals(value, bytes.value);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(value);
    }
}
