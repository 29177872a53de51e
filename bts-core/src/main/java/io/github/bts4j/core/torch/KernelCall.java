package io.github.bts4j.core.torch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import io.github.bts4j.core.support.ElementType;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToLongFunction;

/** One method of an interface of {@link Kernels}: how its arguments become TorchScript's, and its result Java's. Thread-safe. */
final class KernelCall {
    private static final Map<Class<?>, ToLongFunction<Object>> WRAPPERS = Map.ofEntries(
            Map.entry(NDArray.class, tensor -> Natives.ofTensor(((PtNDArray) tensor).getHandle())),
            Map.entry(List.class, tensors -> Natives.ofTensors(TensorList.handles(tensors(tensors)))),
            Map.entry(Map.class, KernelCall::named),
            Map.entry(ElementType.class, type -> Natives.of(((ElementType) type).code())),
            Map.entry(int.class, value -> Natives.of((long) (Integer) value)),
            Map.entry(long.class, value -> Natives.of((long) (Long) value)),
            Map.entry(double.class, value -> Natives.of((double) (Double) value)),
            Map.entry(boolean.class, value -> Natives.of((boolean) (Boolean) value)),
            Map.entry(String.class, value -> Natives.of((String) value)),
            Map.entry(long[].class, value -> Natives.of((long[]) value)));
    private static final Map<Class<?>, Result> RESULTS = Map.of(
            void.class, (owner, value) -> null,
            NDArray.class, (owner, value) -> new PtNDArray((PtNDManager) owner, Natives.toTensor(value)),
            List.class, KernelCall::list,
            long.class, (owner, value) -> Natives.toLong(value),
            double.class, (owner, value) -> Natives.toDouble(value),
            boolean.class, (owner, value) -> Natives.toBoolean(value),
            ElementType.class, (owner, value) -> ElementType.ofCode((int) Natives.toLong(value)));
    /** Results that wrap the value itself, which must not be deleted. */
    private static final Map<Class<?>, Result> KEPT = Map.of(
            TensorList.class, (owner, value) -> new TensorList(value),
            LlamaWeights.class, (owner, value) -> new LlamaWeights(value));

    private final String name;
    private final int mode; // index of the parameter; the script's own follow it
    private final List<ToLongFunction<Object>> wrappers = new ArrayList<>(); // null: the value's own handle
    private final Result result;
    private final boolean isKept;
    private volatile long known; // the module that was called last

    private interface Result {
        Object of(NDManager owner, long value);
    }

    private KernelCall(Method method) {
        name = method.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
        Class<?>[] types = method.getParameterTypes();
        mode = types[0] == NDManager.class ? 1 : 0;
        for (int i = mode + 1; i < types.length; i++) {
            if (!WRAPPERS.containsKey(types[i]) && !TorchValue.class.isAssignableFrom(types[i])) {
                throw new IllegalArgumentException(method + ": " + types[i].getName() + " has no TorchScript form");
            }
            wrappers.add(WRAPPERS.get(types[i]));
        }
        isKept = KEPT.containsKey(method.getReturnType());
        result = isKept ? KEPT.get(method.getReturnType()) : RESULTS.get(method.getReturnType());
        throwIf(result == null || types[mode] != Autograd.class,
                () -> new IllegalArgumentException(method + " is not a kernel: it takes an owner of tensors, the Autograd mode and the script's parameters"));
    }

    static KernelCall of(Method method) {
        return new KernelCall(method);
    }

    @SuppressWarnings("unchecked")
    private static List<NDArray> tensors(Object list) {
        return (List<NDArray>) list;
    }

    private static long named(Object map) {
        List<NDArray> tensors = new ArrayList<>();
        List<String> names = new ArrayList<>();
        ((Map<?, ?>) map).forEach((name, tensor) -> {
            names.add((String) name);
            tensors.add((NDArray) tensor);
        });
        return Natives.ofTensors(names.toArray(String[]::new), TensorList.handles(tensors));
    }

    private static List<NDArray> list(NDManager owner, long value) {
        List<NDArray> list = new ArrayList<>();
        for (long handle : Natives.toTensors(value)) {
            list.add(new PtNDArray((PtNDManager) owner, handle));
        }
        return list;
    }

    Autograd mode(Object[] arguments) {
        return (Autograd) arguments[mode];
    }

    Object run(long module, Object[] arguments, boolean train) {
        long[] handles = new long[wrappers.size()];
        long value = 0;
        boolean kept = false;
        try {
            for (int i = 0; i < handles.length; i++) {
                Object argument = arguments[mode + 1 + i];
                handles[i] = wrappers.get(i) == null ? ((TorchValue) argument).handle() : wrappers.get(i).applyAsLong(argument);
            }
            value = run(module, handles, train);
            Object java = result.of(mode == 1 ? (NDManager) arguments[0] : null, value);
            kept = isKept;
            return java;
        } finally {
            if (value != 0 && !kept) {
                Natives.delete(value);
            }
            for (int i = 0; i < handles.length; i++) {
                if (handles[i] != 0 && wrappers.get(i) != null) {
                    Natives.delete(handles[i]);
                }
            }
        }
    }

    private long run(long module, long[] handles, boolean train) {
        if (known == module) {
            return Natives.run(module, name, handles, train);
        }
        ExitGuard.begin();
        try {
            return Natives.run(module, name, handles, train);
        } finally {
            ExitGuard.end();
            known = module;
        }
    }
}
