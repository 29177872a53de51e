package io.github.bts4j.train.optim;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.torch.Tensors;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Several float32 tensors on the CPU as one vector, one tensor after the other, to copy parts of it to and from bytes in little-endian order: the form in which weights
 * and gradients are sent to other processes. Each tensor is smaller than 2 GiB, the vector is not limited.
 *
 * <p>As thread-safe as the tensors, which must not be freed meanwhile.
 */
public final class FlatTensors {
    private final List<NDArray> tensors;
    private final long[] ends;

    private FlatTensors(List<NDArray> tensors) {
        this.tensors = tensors;
        this.ends = new long[tensors.size()];
        long end = 0;
        for (int i = 0; i < ends.length; i++) {
            end += tensors.get(i).size();
            ends[i] = end;
        }
    }

    /**
     * The vector of some tensors.
     *
     * @param tensors float32 tensors, in the order of the vector; not copied
     * @return the vector
     * @throws UnsupportedException if a tensor is not on the CPU
     */
    public static FlatTensors of(Collection<NDArray> tensors) {
        List<NDArray> list = new ArrayList<>(tensors);
        for (NDArray tensor : list) {
            if (tensor.getDevice().isGpu()) {
                throw new UnsupportedException("A tensor is on " + tensor.getDevice() + ": flat vectors are made of tensors on the CPU only");
            }
        }
        return new FlatTensors(list);
    }

    /** {@return the number of components} */
    public long size() {
        return ends.length == 0 ? 0 : ends[ends.length - 1];
    }

    /** Copies a part of one tensor, between its memory and the bytes. */
    private interface Copy {
        void of(ByteBuffer memory, ByteBuffer bytes);
    }

    /**
     * Copies a part of the vector.
     *
     * @param from first component
     * @param to one after the last one, at most 2^29 - 1 after the first
     * @return the components as bytes, four each
     */
    public byte[] read(long from, long to) {
        byte[] bytes = new byte[Math.toIntExact(Math.multiplyExact(to - from, (long) Float.BYTES))];
        copy(from, bytes, (memory, part) -> part.put(memory));
        return bytes;
    }

    /**
     * Overwrites a part of the vector.
     *
     * @param from first component to write
     * @param values components as bytes, four each
     */
    public void write(long from, byte[] values) {
        copy(from, values, (memory, part) -> memory.put(part));
    }

    private void copy(long from, byte[] bytes, Copy copy) {
        if (from < 0 || bytes.length % Float.BYTES != 0 || from + bytes.length / Float.BYTES > size()) {
            throw new IllegalArgumentException("Components " + from + " to " + (from + bytes.length / Float.BYTES) + " are outside of a vector of " + size());
        }
        ByteBuffer all = ByteBuffer.wrap(bytes);
        long at = from;
        for (int i = 0; i < ends.length && all.hasRemaining(); i++) {
            if (at < ends[i]) {
                long begin = ends[i] - tensors.get(i).size();
                int count = Math.toIntExact(Math.min(all.remaining() / Float.BYTES, ends[i] - at));
                ByteBuffer memory = Tensors.memory(tensors.get(i)).slice(Math.toIntExact((at - begin) * Float.BYTES), count * Float.BYTES);
                copy.of(memory, all.slice(all.position(), count * Float.BYTES));
                all.position(all.position() + count * Float.BYTES);
                at += count;
            }
        }
    }

    /**
     * Adds two vectors, each component in float32.
     *
     * @param sum components as bytes, to which the others are added
     * @param more as many components
     */
    public static void add(byte[] sum, byte[] more) {
        if (sum.length != more.length) {
            throw new IllegalArgumentException("Vectors of " + sum.length + " and " + more.length + " bytes cannot be added");
        }
        FloatBuffer target = ByteBuffer.wrap(sum).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
        FloatBuffer added = ByteBuffer.wrap(more).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
        for (int i = 0; i < target.capacity(); i++) {
            target.put(i, target.get(i) + added.get(i));
        }
    }
}
