package io.github.bts4j.core.torch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Fills a tensor of any type and device with float values, piece by piece, through one reused buffer. Not thread-safe.
 */
public final class TensorFiller implements AutoCloseable {
    private static final int MOST_VALUES = Integer.MAX_VALUE / Float.BYTES;

    private final NDArray target;
    private final int capacity;
    private final ByteBuffer buffer;
    private final NDArray staging;

    /**
     * Prepares to fill a tensor.
     *
     * @param target a contiguous tensor
     * @param capacity maximum number of values per piece, up to {@value #MOST_VALUES}
     */
    public TensorFiller(NDArray target, int capacity) {
        throwIf(capacity > MOST_VALUES,
                () -> new IllegalArgumentException("capacity = " + capacity + " is above " + MOST_VALUES + ", the limit of a buffer"));
        this.target = target;
        this.capacity = (int) Math.min(capacity, Math.max(1, target.size()));
        this.buffer = ByteBuffer.allocateDirect(this.capacity * Float.BYTES).order(ByteOrder.nativeOrder());
        this.staging = Torch.manager().zeros(new Shape(this.capacity), DataType.FLOAT32);
    }

    /**
     * Writes values into the tensor, in the tensor's type.
     *
     * @param at number of the first element to write, in row-major order
     * @param values the values
     * @throws IllegalArgumentException if the piece is longer than the capacity or does not fit at {@code at}
     */
    public void write(long at, float[] values) {
        throwIf(values.length > capacity || at < 0 || at + values.length > target.size(),
                () -> new IllegalArgumentException(values.length + " values at " + at + " do not fit: the tensor has " + target.size()
                        + " elements and a piece at most " + capacity));
        buffer.asFloatBuffer().put(values);
        staging.set(buffer); // lends it the buffer, which is safe here: both live as long as this object, and no other tensor shares the staging's storage
        Tensors.write(target, at, staging, values.length);
    }

    /** Frees the buffer, but not the tensor. */
    @Override
    public void close() {
        staging.close();
    }
}
