package ai.djl.pytorch.jni;

/**
 * The bridge to DJL's package-private native methods that run TorchScript with mixed arguments and with autograd.
 *
 * <p>DJL's public calls offer one or the other: {@code IValueUtils.runMethod} takes any argument but always runs in
 * InferenceMode, {@code IValueUtils.forward} keeps the graph but takes only named tensors. This class lies in DJL's package
 * because the native methods are visible only there; it works on the class path (DJL's jar is an automatic module, so a
 * split package is refused on the module path). Handles are native pointers to {@code c10::IValue} or {@code at::Tensor};
 * every IValue handle made here is released with {@link #delete}. Thread-safe: it holds no state.
 */
public final class TorchCalls {
    private TorchCalls() {}

    /**
     * Runs a method of a TorchScript module.
     *
     * @param module handle of the module
     * @param method name of the method
     * @param arguments IValue handles
     * @param train true keeps the thread's grad mode, false runs in InferenceMode
     * @return the handle of the resulting IValue, which the caller deletes
     */
    public static long run(long module, String method, long[] arguments, boolean train) {
        return PyTorchLibrary.LIB.moduleRunMethod(module, method, arguments, train, false);
    }

    /**
     * Wraps a tensor.
     *
     * @param tensor the tensor's handle
     * @return an IValue handle that holds its own reference
     */
    public static long ofTensor(long tensor) {
        return PyTorchLibrary.LIB.iValueFromTensor(tensor);
    }

    /**
     * Wraps tensors as {@code List[Tensor]}.
     *
     * @param tensors the tensors' handles
     * @return an IValue handle that holds its own references
     */
    public static long ofTensors(long[] tensors) {
        return PyTorchLibrary.LIB.iValueFromTensorList(tensors);
    }

    /**
     * Wraps IValues of one type as a list, for example {@code List[List[Tensor]]}.
     *
     * @param values IValue handles, not empty
     * @return an IValue handle
     */
    public static long ofList(long[] values) {
        return PyTorchLibrary.LIB.iValueFromList(values);
    }

    /**
     * Wraps an {@code int}.
     *
     * @param value the value
     * @return an IValue handle
     */
    public static long of(long value) {
        return PyTorchLibrary.LIB.iValueFromLong(value);
    }

    /**
     * Wraps a {@code float}.
     *
     * @param value the value
     * @return an IValue handle
     */
    public static long of(double value) {
        return PyTorchLibrary.LIB.iValueFromDouble(value);
    }

    /**
     * Wraps a {@code bool}.
     *
     * @param value the value
     * @return an IValue handle
     */
    public static long of(boolean value) {
        return PyTorchLibrary.LIB.iValueFromBool(value);
    }

    /**
     * Wraps a {@code str}.
     *
     * @param value the value
     * @return an IValue handle
     */
    public static long of(String value) {
        return PyTorchLibrary.LIB.iValueFromString(value);
    }

    /**
     * Wraps a {@code List[int]}.
     *
     * @param values the values
     * @return an IValue handle
     */
    public static long of(long[] values) {
        return PyTorchLibrary.LIB.iValueFromLongList(values);
    }

    /**
     * Wraps a {@code List[float]}.
     *
     * @param values the values
     * @return an IValue handle
     */
    public static long of(double[] values) {
        return PyTorchLibrary.LIB.iValueFromDoubleList(values);
    }

    /**
     * Unwraps a {@code Tensor}.
     *
     * @param value an IValue handle
     * @return a new tensor handle, or -1 if the value is no tensor
     */
    public static long toTensor(long value) {
        return PyTorchLibrary.LIB.iValueIsTensor(value) ? PyTorchLibrary.LIB.iValueToTensor(value) : -1;
    }

    /**
     * Unwraps a {@code List[Tensor]}.
     *
     * @param value an IValue handle that holds a list of tensors
     * @return new tensor handles
     */
    public static long[] toTensors(long value) {
        return PyTorchLibrary.LIB.iValueToTensorList(value);
    }

    /**
     * Unwraps an {@code int}.
     *
     * @param value an IValue handle that holds an integer
     * @return the value
     */
    public static long toLong(long value) {
        return PyTorchLibrary.LIB.iValueToLong(value);
    }

    /**
     * Unwraps a {@code float}.
     *
     * @param value an IValue handle that holds a floating-point number
     * @return the value
     */
    public static double toDouble(long value) {
        return PyTorchLibrary.LIB.iValueToDouble(value);
    }

    /**
     * Releases an IValue.
     *
     * @param value the handle
     */
    public static void delete(long value) {
        PyTorchLibrary.LIB.torchDeleteIValue(value);
    }
}
