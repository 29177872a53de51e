package io.github.bts4j.core.torch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import io.github.bts4j.core.rows.Elements;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.support.Hashes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.security.MessageDigest;

/**
 * Creates, converts and reads tensors of any type, including bfloat16, on which DJL's NDArray methods would abort the JVM.
 *
 * <p>Results belong to the given manager or, if there is none, to the tensor's. Thread-safe.
 */
public final class Tensors {
    private static final TensorKernels KERNELS = Kernels.of(TensorKernels.class);
    private static final long SLICE = 64L << 20;

    private Tensors() {}

    /**
     * Whether a backward pass through this tensor has an effect: the tensor is trained, or was computed with a graph from one that is.
     *
     * @param tensor a tensor
     * @return true if it requires a gradient
     */
    public static boolean requiresGradient(NDArray tensor) {
        return KERNELS.requiresGrad(Autograd.OFF, tensor); // JniUtils.requiresGrad returns false for a tensor with a graph
    }

    /**
     * A tensor of zeros.
     *
     * @param manager owner of the result
     * @param type element type
     * @param device its device
     * @param shape its shape; sizes are computed in {@code long}
     * @return the tensor
     */
    public static NDArray zeros(NDManager manager, ElementType type, Device device, long... shape) {
        return KERNELS.zeros(manager, Autograd.OFF, shape, type, torchName(device));
    }

    /**
     * A float32 tensor with the given values, in memory of its own. (A tensor that DJL creates from an array borrows a Java
     * buffer, which dies with the NDArray even where other tensors share its storage.)
     *
     * @param manager owner of the result
     * @param values the values in row-major order
     * @param shape the shape
     * @return the tensor
     */
    public static NDArray of(NDManager manager, float[] values, long... shape) {
        try (NDArray borrowed = manager.create(values, new Shape(shape))) {
            return copy(manager, borrowed, ElementType.FLOAT32);
        }
    }

    /**
     * Maps the first bytes of a file as a tensor of bytes; pages are read when touched, and nothing is written back.
     *
     * @param manager owner of the mapping
     * @param file the file
     * @param size bytes to map, more than 2 GiB allowed
     * @return a tensor {@code [size]} of UINT8
     */
    public static NDArray map(NDManager manager, Path file, long size) {
        return KERNELS.mapFile(manager, Autograd.OFF, file.toAbsolutePath().toString(), size);
    }

    /**
     * A tensor that shares the bytes of a mapping; it stays valid after the mapping's handle is closed.
     *
     * @param manager owner of the result
     * @param bytes the mapping
     * @param type element type
     * @param offset bytes from the mapping's start, a multiple of the element size
     * @param shape the shape
     * @return the view
     */
    public static NDArray view(NDManager manager, NDArray bytes, ElementType type, long offset, long... shape) {
        throwIf(offset % type.bytes() != 0,
                () -> new IllegalArgumentException("offset = " + offset + " is not a multiple of " + type.bytes() + ", the size of one " + type));
        return KERNELS.viewBytes(manager, Autograd.OFF, bytes, type, offset / type.bytes(), shape);
    }

    /**
     * The tensor in another type and on another device; itself, under a new handle, when nothing changes. Not differentiable.
     *
     * @param manager owner of the result
     * @param tensor the tensor
     * @param type element type of the result
     * @param device device of the result
     * @return the converted tensor
     */
    public static NDArray place(NDManager manager, NDArray tensor, ElementType type, Device device) {
        return KERNELS.place(manager, Autograd.OFF, tensor, type, torchName(device));
    }

    /**
     * A copy that shares nothing with the tensor.
     *
     * @param manager owner of the result
     * @param tensor the tensor
     * @param type element type of the copy
     * @return the copy, on the tensor's device
     */
    public static NDArray copy(NDManager manager, NDArray tensor, ElementType type) {
        return KERNELS.copy(manager, Autograd.OFF, tensor, type);
    }

    /**
     * A tensor with another owner: itself if it has the type, otherwise a copy.
     *
     * @param manager owner of the result
     * @param tensor the tensor
     * @param type element type of the result
     * @return the tensor or the copy, on the tensor's device
     */
    public static NDArray keep(NDManager manager, NDArray tensor, ElementType type) {
        if (type(tensor) == type) {
            tensor.attach(manager);
            return tensor;
        }
        return copy(manager, tensor, type);
    }

    /**
     * The element type of a tensor, as PyTorch rather than DJL reports it.
     *
     * @param tensor the tensor
     * @return its type
     */
    public static ElementType type(NDArray tensor) {
        return KERNELS.dtype(Autograd.OFF, tensor);
    }

    /**
     * The values of a tensor of any type and device as floats.
     *
     * @param tensor the tensor, at most 2^31 - 1 elements
     * @return the values in row-major order
     */
    public static float[] toFloats(NDArray tensor) {
        try (NDArray floats = place(Torch.manager(), tensor, ElementType.FLOAT32, Device.cpu())) {
            return floats.toFloatArray();
        }
    }

    /**
     * SHA-256 of a tensor's bytes, in row-major order.
     *
     * @param tensor the tensor, of any size
     * @return 64 hexadecimal digits
     */
    public static String sha256(NDArray tensor) {
        MessageDigest digest = Hashes.sha256();
        long bytes = tensor.size() * type(tensor).bytes();
        try (NDArray flat = flatBytes(tensor)) {
            for (long at = 0; at < bytes; at += SLICE) {
                digest.update(slice(flat, at, Math.min(bytes, at + SLICE)));
            }
        }
        return Hashes.hex(digest);
    }

    /**
     * The bytes of a tensor in memory.
     *
     * @param tensor the tensor
     * @return a copy of its bytes in little-endian order, in slices of at most 64 MiB
     */
    public static Iterable<ByteBuffer> bytes(NDArray tensor) {
        return () -> new TensorBytes(tensor, SLICE);
    }

    /**
     * The same in slices of another size.
     *
     * @param tensor the tensor
     * @param sliceBytes bytes of every slice but the last
     * @return a copy of its bytes in little-endian order
     */
    public static Iterable<ByteBuffer> bytes(NDArray tensor, int sliceBytes) {
        return () -> new TensorBytes(tensor, sliceBytes);
    }

    /**
     * Copies bytes into a tensor of bytes.
     *
     * @param target contiguous, UINT8, on the CPU
     * @param at number of the first byte to write
     * @param bytes a direct buffer, read from its beginning to its limit
     */
    public static void writeBytes(NDArray target, long at, ByteBuffer bytes) {
        try (NDManager cpu = Torch.manager().newSubManager(Device.cpu());
                NDArray borrowed = cpu.create(bytes, new Shape(bytes.limit()), DataType.UINT8)) {
            write(target, at, borrowed, bytes.limit());
        }
    }

    /**
     * Copies a range of a tensor of bytes.
     *
     * @param manager owner of the result
     * @param bytes UINT8 {@code [size]}
     * @param offset first byte
     * @param length number of bytes
     * @return UINT8 {@code [length]}
     */
    public static NDArray copyBytes(NDManager manager, NDArray bytes, long offset, long length) {
        return KERNELS.sliceBytes(manager, Autograd.OFF, bytes, offset, offset + length);
    }

    /**
     * Orders the rows of a query or key projection as Hugging Face has them: the first coordinates of all rotated pairs of a head, then the second
     * ones; from the order of the original Llama code and of GGUF, in which the two coordinates of a pair are neighbours.
     *
     * @param manager owner of the result
     * @param rows {@code [heads * head_dim, ..]}
     * @param heads number of heads
     * @return a copy with reordered rows
     */
    public static NDArray halvesFromPairs(NDManager manager, NDArray rows, int heads) {
        return KERNELS.halvesFromPairs(manager, Autograd.OFF, rows, heads);
    }

    /**
     * A tensor's own memory, not a copy.
     *
     * @param tensor a contiguous tensor on the CPU of less than 2 GiB, in any type; it must outlive every use of the buffer
     * @return a direct buffer of its bytes in little-endian order
     */
    public static ByteBuffer memory(NDArray tensor) {
        return JniUtils.getByteBuffer((PtNDArray) tensor, true).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * A tensor as a matrix of the row engine, in its own memory: its last dimension are the columns, all others the rows.
     *
     * @param tensor a contiguous tensor on the CPU of less than 2 GiB, which must outlive every use of the elements
     * @param scales for int8, a factor for each row; else empty
     * @return the elements
     */
    public static Elements elements(NDArray tensor, float... scales) {
        Shape shape = tensor.getShape();
        return new Elements(memory(tensor), type(tensor), 0, Math.toIntExact(shape.get(shape.dimension() - 1)), scales);
    }

    /**
     * Overwrites a tensor's values, without a graph.
     *
     * @param target the tensor
     * @param value the new values, of the same shape
     */
    public static void write(NDArray target, NDArray value) {
        KERNELS.write(Autograd.OFF, target, value);
    }

    static void write(NDArray target, long at, NDArray values, int count) {
        KERNELS.writeAt(Autograd.OFF, target, at, values, count);
    }

    static NDArray flatBytes(NDArray tensor) {
        return KERNELS.bytes(Torch.manager(), Autograd.OFF, tensor); // a frozen model's manager takes nothing more
    }

    static ByteBuffer slice(NDArray flat, long from, long to) {
        try (NDArray part = copyBytes(Torch.manager(), flat, from, to - from)) {
            return part.toByteBuffer();
        }
    }

    static String torchName(Device device) {
        return device.isGpu() ? "cuda:" + device.getDeviceId() : "cpu";
    }
}
