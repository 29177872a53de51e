package io.github.bts4j.core.torch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.NoSuchElementException;

/** Walks over a tensor's bytes, one slice at a time; the flat view it needs is closed after the last slice. */
final class TensorBytes implements Iterator<ByteBuffer> {
    private final NDArray flat;
    private final long size;
    private final long step;
    private long at;

    TensorBytes(NDArray tensor, long step) {
        this.flat = Tensors.flatBytes(tensor);
        this.size = tensor.size() * Tensors.type(tensor).bytes();
        this.step = step;
        closeAtEnd();
    }

    @Override
    public boolean hasNext() {
        return at < size;
    }

    @Override
    public ByteBuffer next() {
        throwIf(!hasNext(), () -> new NoSuchElementException("All " + size + " bytes of the tensor are read"));
        long end = Math.min(size, at + step);
        ByteBuffer slice = Tensors.slice(flat, at, end);
        at = end;
        closeAtEnd();
        return slice;
    }

    private void closeAtEnd() {
        if (at >= size) {
            flat.close();
        }
    }
}
