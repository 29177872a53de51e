package io.github.bts4j.core.rows;

import io.github.bts4j.core.checkpoint.gguf.GgmlBlocks;
import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import java.nio.ByteBuffer;

/**
 * The rows of a matrix in ggml's blocks, as a GGUF file holds them, in a tensor's own memory. It does not keep the tensor alive.
 *
 * @param bytes the memory, in little-endian order
 * @param type the type of the blocks
 * @param offset bytes from the start of the memory to row 0
 * @param columns number of columns, whole blocks
 */
public record Blocks(ByteBuffer bytes, GgmlType type, long offset, int columns) implements StoredRows {
    /** Values that share a scale, at least in part: room for the sums of as many values of a vector is beside the vector. */
    static final int SHARED_BY = 32;

    @Override
    public long rowBytes() {
        return type.byteCount(columns);
    }

    /**
     * Where a row begins.
     *
     * @param row number of the row
     * @return bytes from the start of the memory
     */
    public long rowOffset(int row) {
        return offset + row * rowBytes();
    }

    @Override
    public Blocks from(int row) {
        return new Blocks(bytes, type, rowOffset(row), columns);
    }

    @Override
    public void read(int row, float[] into) {
        byte[] blocks = new byte[(int) rowBytes()];
        bytes.get((int) rowOffset(row), blocks);
        GgmlBlocks.decode(type, blocks, 0, into, 0, columns / type.blockSize());
    }
}
