package io.github.bts4j.core.rows;

import io.github.bts4j.core.support.ElementType;
import java.nio.ByteBuffer;

/**
 * The elements of a matrix in a tensor's own memory, row after row. It does not keep the tensor alive.
 *
 * @param bytes the memory, in little-endian order
 * @param type FLOAT32, BFLOAT16 or INT8
 * @param offset bytes from the start of the memory to row 0
 * @param columns number of columns
 * @param scales for int8, a factor for each row; else empty
 */
public record Elements(ByteBuffer bytes, ElementType type, long offset, int columns, float... scales) implements StoredRows {
    @Override
    public Elements from(int row) {
        return new Elements(bytes, type, rowOffset(row), columns, scales);
    }

    @Override
    public long rowBytes() {
        return (long) columns * type.bytes();
    }

    @Override
    public void read(int row, float[] into) {
        for (int c = 0; c < columns; c++) {
            into[c] = get(row, c);
        }
    }

    /**
     * Where a row begins.
     *
     * @param row number of the row
     * @return bytes from the start of the memory
     */
    public long rowOffset(int row) {
        return offset + (long) row * columns * type.bytes();
    }

    /**
     * One element.
     *
     * @param row number of the row
     * @param column number of the column
     * @return its value, with the row's scale
     */
    public float get(int row, int column) {
        int at = Math.toIntExact(rowOffset(row)) + column * type.bytes();
        return switch (type) {
            case FLOAT32 -> bytes.getFloat(at);
            case BFLOAT16 -> Float.intBitsToFloat(bytes.getShort(at) << 16);
            case INT8 -> bytes.get(at) * scales[row];
            default -> throw new IllegalStateException("A matrix of " + type);
        };
    }

    /**
     * Writes a row; not for int8.
     *
     * @param row number of the row
     * @param values its values, which the type represents exactly
     * @param at index of the first one
     */
    public void set(int row, float[] values, int at) {
        int to = Math.toIntExact(rowOffset(row));
        if (type == ElementType.FLOAT32) {
            for (int i = 0; i < columns; i++) {
                bytes.putFloat(to + 4 * i, values[at + i]);
            }
            return;
        }
        int i = 0;
        for (; i + 1 < columns; i += 2) { // two in a word
            bytes.putInt(to + 2 * i, Float.floatToRawIntBits(values[at + i]) >>> 16 | Float.floatToRawIntBits(values[at + i + 1]) & 0xFFFF0000);
        }
        if (i < columns) {
            bytes.putShort(to + 2 * i, (short) (Float.floatToRawIntBits(values[at + i]) >>> 16));
        }
    }
}
