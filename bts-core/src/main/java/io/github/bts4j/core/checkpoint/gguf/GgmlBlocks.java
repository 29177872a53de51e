package io.github.bts4j.core.checkpoint.gguf;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Turns ggml's blocks into floats, with the arithmetic of ggml's {@code dequantize_row_*} in float32. Scales d and minima m are float16; q is an
 * unsigned integer of the type's bits. Stateless.
 */
public final class GgmlBlocks {
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    /** The values of IQ4_NL and IQ4_XS (ggml's kvalues_iq4nl). */
    private static final byte[] UNEVEN = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

    private static final float NONE = -0f; // adding it changes nothing, not even the sign of a zero

    private GgmlBlocks() {}

    /**
     * Dequantises blocks.
     *
     * @param type their type
     * @param bytes the blocks
     * @param from the first block's first byte
     * @param floats receives the values
     * @param to index of the first value
     * @param blocks number of blocks
     */
    public static void decode(GgmlType type, byte[] bytes, int from, float[] floats, int to, int blocks) {
        for (int i = 0; i < blocks; i++) {
            int at = from + i * type.blockBytes();
            int out = to + i * type.blockSize();
            switch (type) {
                case F32 -> floats[out] = Float.intBitsToFloat((int) INT.get(bytes, at));
                case F16 -> floats[out] = half(bytes, at);
                case BF16 -> floats[out] = Float.intBitsToFloat((short) SHORT.get(bytes, at) << 16);
                case Q8_0 -> q8(bytes, at, floats, out);
                case Q4_0 -> nibbles(bytes, at + 2, half(bytes, at), -8, NONE, floats, out);
                case Q4_1 -> nibbles(bytes, at + 4, half(bytes, at), 0, half(bytes, at + 2), floats, out);
                case Q5_0 -> fives(bytes, at + 2, half(bytes, at), -16, NONE, floats, out);
                case Q5_1 -> fives(bytes, at + 4, half(bytes, at), 0, half(bytes, at + 2), floats, out);
                case Q4_K -> groups(bytes, at, false, floats, out);
                case Q5_K -> groups(bytes, at, true, floats, out);
                case Q6_K -> q6k(bytes, at, floats, out);
                case Q2_K -> q2k(bytes, at, floats, out);
                case Q3_K -> q3k(bytes, at, floats, out);
                case IQ4_NL -> uneven(bytes, at + 2, half(bytes, at), floats, out);
                case IQ4_XS -> iq4xs(bytes, at, floats, out);
            }
        }
    }

    /**
     * Quantises values.
     *
     * @param type Q8_0, rounded to nearest, or Q4_0, with the scale that llama.cpp's search finds; F32 or F16
     * @param floats the values, whole blocks
     * @return their blocks
     * @throws IllegalArgumentException if a finite value is beyond float16, or the type is another one
     */
    public static byte[] encode(GgmlType type, float[] floats) {
        return GgmlEncoder.encode(type, floats);
    }

    /** d q, with signed q. */
    private static void q8(byte[] b, int at, float[] out, int to) {
        float d = half(b, at);
        for (int i = 0; i < 32; i++) {
            out[to + i] = d * b[at + 2 + i];
        }
    }

    /** d (q + shift) + m; the low halves of 16 bytes, then the high ones. */
    private static void nibbles(byte[] b, int at, float d, int shift, float m, float[] out, int to) {
        for (int i = 0; i < 16; i++) {
            out[to + i] = d * ((b[at + i] & 0xF) + shift) + m;
            out[to + 16 + i] = d * ((b[at + i] >> 4 & 0xF) + shift) + m;
        }
    }

    /** The same, with the fifth bits of the 32 values in four bytes before them. */
    private static void fives(byte[] b, int at, float d, int shift, float m, float[] out, int to) {
        int high = (int) INT.get(b, at);
        for (int i = 0; i < 16; i++) {
            int low = b[at + 4 + i];
            out[to + i] = d * ((low & 0xF | (high >>> i & 1) << 4) + shift) + m;
            out[to + 16 + i] = d * ((low >> 4 & 0xF | (high >>> 16 + i & 1) << 4) + shift) + m;
        }
    }

    /**
     * (d s) q - (dmin m): d, dmin, 12 bytes of scales, for 5 bits 32 bytes with the fifth ones (bit g of byte i for value i of group g), and 128 bytes of
     * which each run of 32 holds the low four bits of two groups.
     */
    private static void groups(byte[] b, int at, boolean fiveBits, float[] out, int to) {
        float d = half(b, at);
        float dmin = half(b, at + 2);
        int first = at + (fiveBits ? 48 : 16);
        for (int group = 0; group < 8; group++) {
            float scale = d * scale(b, at + 4, group);
            float least = dmin * minimum(b, at + 4, group);
            int quants = first + group / 2 * 32;
            int shift = (group & 1) * 4;
            for (int i = 0; i < 32; i++) {
                int high = fiveBits ? (b[at + 16 + i] >> group & 1) << 4 : 0;
                out[to + group * 32 + i] = scale * (b[quants + i] >> shift & 0xF | high) - least;
            }
        }
    }

    /** Scale of a group: 6 bits, spread over the 12 bytes as in llama.cpp's get_scale_min_k4. */
    private static int scale(byte[] b, int at, int group) {
        return group < 4 ? b[at + group] & 63 : b[at + group + 4] & 0xF | (b[at + group - 4] >> 6 & 3) << 4;
    }

    private static int minimum(byte[] b, int at, int group) {
        return group < 4 ? b[at + group + 4] & 63 : b[at + group + 4] >> 4 & 0xF | (b[at + group] >> 6 & 3) << 4;
    }

    /** (d s) (q - 32): 128 bytes of low nibbles, 64 of high pairs of bits, 16 signed scales, d. */
    private static void q6k(byte[] b, int at, float[] out, int to) {
        float d = half(b, at + 208);
        for (int half = 0; half < 2; half++) {
            for (int quarter = 0; quarter < 4; quarter++) {
                int low = at + half * 64 + (quarter & 1) * 32;
                int high = at + 128 + half * 32;
                for (int i = 0; i < 32; i++) {
                    int q = b[low + i] >> quarter / 2 * 4 & 0xF | (b[high + i] >> quarter * 2 & 3) << 4;
                    float scale = d * b[at + 192 + half * 8 + quarter * 2 + i / 16];
                    out[to + half * 128 + quarter * 32 + i] = scale * (q - 32);
                }
            }
        }
    }

    /** (d s) q - (dmin m): 16 bytes, each a scale and above it a minimum; 64 bytes of pairs of bits, each byte of four groups' values; d, dmin. */
    private static void q2k(byte[] b, int at, float[] out, int to) {
        float d = half(b, at + 80);
        float dmin = half(b, at + 82);
        for (int group = 0; group < 16; group++) {
            float scale = d * (b[at + group] & 0xF);
            float least = dmin * (b[at + group] >> 4 & 0xF);
            for (int i = 0; i < 16; i++) {
                out[to + 16 * group + i] = scale * pair(b, at + 16, group, i) - least;
            }
        }
    }

    /** Two bits of value i of a group of 16: a run of 32 bytes holds eight groups, two for each pair of bits. */
    private static int pair(byte[] b, int at, int group, int i) {
        return b[at + group / 8 * 32 + (group & 1) * 16 + i] >> (group / 2 & 3) * 2 & 3;
    }

    /** (d (s - 32)) (q - 4): 32 bytes with the third bits (bit g / 2 of byte i, for value i of two groups), 64 bytes of pairs, 12 bytes of scales, d. */
    private static void q3k(byte[] b, int at, float[] out, int to) {
        float d = half(b, at + 108);
        for (int group = 0; group < 16; group++) {
            int low = b[at + 96 + (group & 7)] >> group / 8 * 4 & 0xF;
            int high = b[at + 104 + (group & 3)] >> group / 4 * 2 & 3;
            float scale = d * ((low | high << 4) - 32);
            for (int i = 0; i < 16; i++) {
                int third = b[at + (group & 1) * 16 + i] >> group / 2 & 1;
                out[to + 16 * group + i] = scale * ((pair(b, at + 32, group, i) | third << 2) - 4);
            }
        }
    }

    /** d times the value of each nibble; the low halves of 16 bytes, then the high ones. */
    private static void uneven(byte[] b, int at, float d, float[] out, int to) {
        for (int i = 0; i < 16; i++) {
            out[to + i] = d * UNEVEN[b[at + i] & 0xF];
            out[to + 16 + i] = d * UNEVEN[b[at + i] >> 4 & 0xF];
        }
    }

    /** The same with (d (s - 32)): d, the high pairs of bits of eight scales, their low nibbles, 128 bytes. */
    private static void iq4xs(byte[] b, int at, float[] out, int to) {
        float d = half(b, at);
        int high = (short) SHORT.get(b, at + 2);
        for (int group = 0; group < 8; group++) {
            int low = b[at + 4 + group / 2] >> (group & 1) * 4 & 0xF;
            uneven(b, at + 8 + 16 * group, d * ((low | (high >> 2 * group & 3) << 4) - 32), out, to + 32 * group);
        }
    }

    /** An IEEE float16. (Java has this from version 20.) */
    private static float half(byte[] b, int at) {
        int bits = (short) SHORT.get(b, at) & 0xFFFF;
        int sign = (bits & 0x8000) << 16;
        int exponent = bits >> 10 & 0x1F;
        int fraction = bits & 0x3FF;
        if (exponent == 0x1F) {
            return Float.intBitsToFloat(sign | 0x7F800000 | fraction << 13);
        }
        if (exponent == 0) {
            float subnormal = fraction * 0x1p-24f;
            return sign == 0 ? subnormal : -subnormal;
        }
        return Float.intBitsToFloat(sign | exponent + 112 << 23 | fraction << 13);
    }
}
