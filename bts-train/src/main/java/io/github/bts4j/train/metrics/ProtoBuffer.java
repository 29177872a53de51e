package io.github.bts4j.train.metrics;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** The wire types of protocol buffers that TensorBoard's events need; zero values are omitted, as in proto3. */
final class ProtoBuffer {

    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    ProtoBuffer varint(int field, long value) {
        if (value != 0) {
            raw((long) field << 3 | VARINT);
            raw(value);
        }
        return this;
    }

    ProtoBuffer float64(int field, double value) {
        if (Double.doubleToRawLongBits(value) != 0) {
            raw((long) field << 3 | FIXED64);
            out.writeBytes(little(Double.BYTES).putDouble(value).array());
        }
        return this;
    }

    /** Written even if it is zero: the field is part of a oneof, whose case is given by presence. */
    ProtoBuffer choiceFloat32(int field, float value) {
        raw((long) field << 3 | FIXED32);
        out.writeBytes(little(Float.BYTES).putFloat(value).array());
        return this;
    }

    @SuppressWarnings("ByteBufferBackingArray") // made here, over a whole array
    ProtoBuffer packedFloat64(int field, double[] values) {
        ByteBuffer packed = little(values.length * Double.BYTES);
        for (double value : values) {
            packed.putDouble(value);
        }
        return bytes(field, packed.array());
    }

    ProtoBuffer string(int field, String value) {
        return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    ProtoBuffer message(int field, ProtoBuffer message) {
        return bytes(field, message.toByteArray());
    }

    byte[] toByteArray() {
        return out.toByteArray();
    }

    private ProtoBuffer bytes(int field, byte[] value) {
        raw((long) field << 3 | BYTES);
        raw(value.length);
        out.writeBytes(value);
        return this;
    }

    private void raw(long value) {
        long left = value;
        while ((left & ~0x7FL) != 0) {
            out.write((int) (left & 0x7F | 0x80));
            left >>>= 7;
        }
        out.write((int) left);
    }

    private static ByteBuffer little(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
