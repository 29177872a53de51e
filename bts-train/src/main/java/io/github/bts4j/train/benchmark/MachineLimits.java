package io.github.bts4j.train.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;

/** What the machine reaches at most, as measured by a sum over much memory and by a product of large matrices. Not thread-safe. */
public final class MachineLimits implements AutoCloseable {
    private static final ProductKernels KERNELS = Kernels.of(ProductKernels.class);

    private final NDManager scope = Torch.manager().newSubManager();
    private final NDArray floats;
    private final NDArray square;
    private final double operations;

    /**
     * Allocates what is read and multiplied.
     *
     * @param bytes size of the memory to read, far above any cache: 1 GiB
     * @param side rows and columns of the matrices: 2048 or more
     * @param type element type of the matrices, float32 or bfloat16
     */
    public MachineLimits(long bytes, int side, ElementType type) {
        floats = scope.ones(new Shape(bytes / Float.BYTES));
        square = Tensors.place(scope, scope.randomUniform(-1, 1, new Shape(side, side)), type, scope.getDevice());
        operations = 2.0 * side * side * side;
    }

    /** {@return bytes per second of a sum, measured now} */
    public double memory() {
        return memory(floats);
    }

    /**
     * The same over other memory.
     *
     * @param other float32 values
     * @return bytes per second
     */
    public static double memory(NDArray other) {
        return (double) Float.BYTES * other.size() / PairedTimes.seconds(() -> other.sum().close());
    }

    /** {@return floating-point operations per second of a product, measured now} */
    public double product() {
        return operations / PairedTimes.seconds(() -> KERNELS.product(scope, Autograd.INFERENCE, square, square).close());
    }

    /** {@return the manager of the memory, which is freed with it} */
    public NDManager scope() {
        return scope;
    }

    @Override
    public void close() {
        scope.close();
    }
}
