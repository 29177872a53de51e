package io.github.bts4j.core.checkpoint.gguf;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Turns floats into ggml's blocks, with the arithmetic of ggml's {@code quantize_row_*_ref}. Stateless. */
final class GgmlEncoder {
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    /** From here on a number is rounded to infinity in float16. */
    private static final float HALF_LIMIT = 65_520;

    private GgmlEncoder() {}

    /** Whether floats can be encoded as a type. */
    static boolean writes(GgmlType type) {
        return type == GgmlType.F32 || type == GgmlType.F16 || type == GgmlType.Q8_0 || type == GgmlType.Q4_0;
    }

    /**
     * Encodes values.
     *
     * @param type F32, F16, Q8_0 or Q4_0
     * @param floats the values, whole blocks
     * @return their blocks
     * @throws IllegalArgumentException if a finite value is beyond float16
     */
    static byte[] encode(GgmlType type, float[] floats) {
        int blocks = floats.length / type.blockSize();
        byte[] bytes = new byte[Math.toIntExact(type.byteCount(floats.length))];
        ScaleSearch search = new ScaleSearch(32, 8);
        for (int i = 0; i < blocks; i++) {
            switch (type) {
                case F32 -> INT.set(bytes, 4 * i, Float.floatToRawIntBits(floats[i]));
                case F16 -> SHORT.set(bytes, 2 * i, halfOf(floats[i]));
                case Q8_0 -> q8(floats, 32 * i, bytes, 34 * i);
                case Q4_0 -> q4(search, floats, 32 * i, bytes, 18 * i);
                default -> throw new IllegalArgumentException(type + " is not written: F32, F16, Q8_0 and Q4_0 are");
            }
        }
        return bytes;
    }

    /** The scale d = max |x| / 127 as float16, then round(x / d), halves away from zero. */
    private static void q8(float[] floats, int from, byte[] out, int at) {
        float most = 0;
        for (int i = 0; i < 32; i++) {
            most = Math.max(most, Math.abs(floats[from + i]));
        }
        float d = most / 127;
        float inverse = d == 0 ? 0 : 1 / d;
        SHORT.set(out, at, halfOf(d));
        for (int i = 0; i < 32; i++) {
            float scaled = floats[from + i] * inverse;
            out[at + 2 + i] = (byte) (Math.signum(scaled) * Math.floor(Math.abs(scaled) + 0.5f));
        }
    }

    /** The scale that the search finds, as float16, and its integers, 8 above them. */
    private static void q4(ScaleSearch search, float[] floats, int from, byte[] out, int at) {
        SHORT.set(out, at, halfOf(search.scale(floats, from)));
        int[] q = search.integers();
        for (int i = 0; i < 16; i++) {
            out[at + 2 + i] = (byte) (q[i] + 8 | q[16 + i] + 8 << 4);
        }
    }

    private static short halfOf(float value) {
        if (Math.abs(value) >= HALF_LIMIT && !Float.isInfinite(value)) {
            throw new IllegalArgumentException("the value " + value + " is beyond float16, whose limit is 65504");
        }
        return half(value);
    }

    /** The nearest float16, of two the even one. (Java has this from version 20.) */
    static short half(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = bits >>> 16 & 0x8000;
        float magnitude = Math.abs(value);
        if (Float.isNaN(value)) {
            return (short) (sign | 0x7E00);
        }
        if (magnitude >= HALF_LIMIT) {
            return (short) (sign | 0x7C00);
        }
        if (magnitude < 0x1p-14f) { // a multiple of 2^-24
            return (short) (sign | (int) Math.rint(magnitude * 0x1p24f));
        }
        int rounded = (bits & 0x7FFFFFFF) + 0xFFF + (bits >>> 13 & 1);
        return (short) (sign | (rounded >>> 13) - (112 << 10));
    }
}
