package io.github.bts4j.core.torch;

import ai.djl.pytorch.jni.JniUtils;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * DJL's native methods that run TorchScript with mixed arguments and with autograd. DJL's public calls offer one or the other: {@code IValueUtils.runMethod}
 * takes any argument but always runs in InferenceMode, {@code IValueUtils.forward} keeps the graph but takes only named tensors.
 *
 * <p>The methods are visible in DJL's package alone; they are reached through a private look-up, which works on the class path and on the module path, where
 * DJL's jar is an automatic module and open. Handles are native pointers to {@code c10::IValue} or {@code at::Tensor}; the creator of an IValue deletes it.
 */
final class Natives {
    private static final MethodHandles.Lookup DJL = look();
    private static final Object LIBRARY = library();
    private static final MethodHandle RUN = find("moduleRunMethod", long.class, long.class, String.class, long[].class, boolean.class, boolean.class);
    private static final MethodHandle DELETE = find("torchDeleteIValue", void.class, long.class);
    private static final MethodHandle OF_TENSOR = find("iValueFromTensor", long.class, long.class);
    private static final MethodHandle OF_TENSORS = find("iValueFromTensorList", long.class, long[].class);
    private static final MethodHandle OF_VALUES = find("iValueFromList", long.class, long[].class);
    private static final MethodHandle OF_NAMED_TENSORS = find("iValueFromStringMap", long.class, String[].class, long[].class);
    private static final MethodHandle OF_LONG = find("iValueFromLong", long.class, long.class);
    private static final MethodHandle OF_DOUBLE = find("iValueFromDouble", long.class, double.class);
    private static final MethodHandle OF_BOOLEAN = find("iValueFromBool", long.class, boolean.class);
    private static final MethodHandle OF_STRING = find("iValueFromString", long.class, String.class);
    private static final MethodHandle OF_LONGS = find("iValueFromLongList", long.class, long[].class);
    private static final MethodHandle TO_TENSOR = find("iValueToTensor", long.class, long.class);
    private static final MethodHandle TO_TENSORS = find("iValueToTensorList", long[].class, long.class);
    private static final MethodHandle TO_LONG = find("iValueToLong", long.class, long.class);
    private static final MethodHandle TO_DOUBLE = find("iValueToDouble", double.class, long.class);
    private static final MethodHandle TO_BOOLEAN = find("iValueToBool", boolean.class, long.class);

    private Natives() {}

    private static MethodHandles.Lookup look() {
        try {
            return MethodHandles.privateLookupIn(JniUtils.class, MethodHandles.lookup());
        } catch (IllegalAccessException e) {
            throw new IllegalStateException("DJL's PyTorch engine does not open ai.djl.pytorch.jni: is its jar an automatic module?", e);
        }
    }

    private static Object library() {
        try {
            Class<?> type = DJL.findClass("ai.djl.pytorch.jni.PyTorchLibrary");
            return DJL.findStaticGetter(type, "LIB", type).invoke();
        } catch (Throwable e) {
            throw missing("LIB", e);
        }
    }

    private static MethodHandle find(String name, Class<?> result, Class<?>... parameters) {
        try {
            return DJL.findVirtual(LIBRARY.getClass(), name, MethodType.methodType(result, parameters)).asFixedArity().bindTo(LIBRARY);
        } catch (ReflectiveOperationException e) {
            throw missing(name, e);
        }
    }

    private static IllegalStateException missing(String name, Throwable cause) {
        return new IllegalStateException("DJL's PyTorch engine has no " + name + ": it is of another version than bts4j was built with", cause);
    }

    private interface Call<T> {
        T run() throws Throwable;
    }

    /** Calls a native method, which throws nothing that is checked. */
    private static <T> T call(Call<T> call) {
        try {
            return call.run();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Runs a method of a module on IValues; {@code train} keeps the thread's grad mode, without it InferenceMode is on. Gives an IValue. */
    static long run(long module, String method, long[] arguments, boolean train) {
        return call(() -> (long) RUN.invokeExact(module, method, arguments, train, false));
    }

    static void delete(long value) {
        call(() -> {
            DELETE.invokeExact(value);
            return null;
        });
    }

    static long ofTensor(long tensor) {
        return call(() -> (long) OF_TENSOR.invokeExact(tensor));
    }

    static long ofTensors(long[] tensors) {
        return call(() -> (long) OF_TENSORS.invokeExact(tensors));
    }

    /** A list of IValues of one type, at least one. */
    static long ofValues(long[] values) {
        return call(() -> (long) OF_VALUES.invokeExact(values));
    }

    static long ofTensors(String[] names, long[] tensors) {
        return call(() -> (long) OF_NAMED_TENSORS.invokeExact(names, tensors));
    }

    static long of(long value) {
        return call(() -> (long) OF_LONG.invokeExact(value));
    }

    static long of(double value) {
        return call(() -> (long) OF_DOUBLE.invokeExact(value));
    }

    static long of(boolean value) {
        return call(() -> (long) OF_BOOLEAN.invokeExact(value));
    }

    static long of(String value) {
        return call(() -> (long) OF_STRING.invokeExact(value));
    }

    static long of(long[] values) {
        return call(() -> (long) OF_LONGS.invokeExact(values));
    }

    static long toTensor(long value) {
        return call(() -> (long) TO_TENSOR.invokeExact(value));
    }

    static long[] toTensors(long value) {
        return call(() -> (long[]) TO_TENSORS.invokeExact(value));
    }

    static long toLong(long value) {
        return call(() -> (long) TO_LONG.invokeExact(value));
    }

    static double toDouble(long value) {
        return call(() -> (double) TO_DOUBLE.invokeExact(value));
    }

    static boolean toBoolean(long value) {
        return call(() -> (boolean) TO_BOOLEAN.invokeExact(value));
    }
}
