package io.github.bts4j.vector;

import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Some rows' blocks on the heap, and what is computed from them: for each block the numbers in 16 bits as float32, fifth bits, and the factors of its groups. */
final class Stage {
    /** Little-endian words in an array of bytes. */
    static final VarHandle WORD = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle HALF = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int GROUPS = 16;
    private static final int ROOM = 16; // a vector may be read from the last element on

    final byte[] bytes;
    /** Fifth bits of each block: that of value i is bit i + 4 here, */
    final int[] lower;
    /** and that of value 16 + i bit i + 8 here. */
    final int[] upper;
    /** d of each block. */
    final float[] d;
    /** The other number of each block, m or dmin. */
    final float[] m;
    /** Sixteen bytes of each block. */
    final byte[] small;
    /** Sixteen factors of each block. */
    final float[] factors;
    private final int[] bits;

    /** For so many blocks of a type. */
    Stage(GgmlType type, int blocks) {
        boolean grouped = type.blockSize() > BlockRows.GROUP;
        bytes = new byte[blocks * type.blockBytes()];
        lower = new int[grouped ? 0 : blocks];
        upper = new int[grouped ? 0 : blocks];
        d = new float[blocks + ROOM];
        m = new float[blocks + ROOM];
        bits = new int[blocks + ROOM];
        small = new byte[grouped ? GROUPS * blocks : 0];
        factors = new float[grouped ? GROUPS * blocks : 0];
    }

    /** Reads the float16 numbers at an offset in the blocks of a size. */
    void halves(int offset, int size, int count, float[] into) {
        for (int b = 0; b < count; b++) {
            bits[b] = (short) HALF.get(bytes, offset + b * size);
        }
        Halves.convert(bits, count, into);
    }

    /** Reads the words of fifth bits at an offset in the blocks of a size. */
    void fifths(int offset, int size, int count) {
        for (int b = 0; b < count; b++) {
            int word = (int) WORD.get(bytes, offset + b * size);
            lower[b] = word << 4;
            upper[b] = word >>> 8;
        }
    }
}
