package io.github.bts4j.core.torch;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.pytorch.jni.TorchCalls;
import io.github.bts4j.core.UnsupportedException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongFunction;
import java.util.function.Supplier;

/**
 * A set of TorchScript methods, written as readable resource files and loaded from memory at run time.
 *
 * <p>The methods hold no weights: tensors, lists of tensors and numbers are arguments. Arguments may be {@link NDArray},
 * {@link TensorList}, {@code List} of NDArray, {@code long}/{@code int}, {@code double}/{@code float}, {@code boolean},
 * {@code String}, {@code long[]} or {@code double[]}. Results belong to the manager that the caller names. Thread-safe: one
 * set serves many threads. A set lives as long as the process.
 */
public final class Kernels {
    private static final Map<List<String>, Kernels> LOADED = new ConcurrentHashMap<>();
    private static final Map<List<String>, Kernels> WITH_LINEAR = new ConcurrentHashMap<>();
    private static final ThreadLocal<Boolean> PREPARED = ThreadLocal.withInitial(() -> {
        JniUtils.setGraphExecutorOptimize(false); // thread-local in libtorch; profiling runs cost memory and the first calls
        return Boolean.TRUE;
    });

    private final List<String> resources;
    private final Supplier<String> more;
    private final Set<String> called = ConcurrentHashMap.newKeySet();
    private volatile long module; // 0 until the first call

    private Kernels(List<String> resources, Supplier<String> more) {
        this.resources = resources;
        this.more = more;
    }

    /**
     * The kernels of the given resource files, loaded once per process, at the first call of one of them.
     *
     * @param resources absolute resource names of files whose text is methods of one class, indented by two spaces
     * @return the kernels
     */
    public static Kernels of(String... resources) {
        return LOADED.computeIfAbsent(List.of(resources), names -> new Kernels(names, () -> ""));
    }

    /**
     * The kernels of the given resource files together with {@code linear} and {@code linear_silu}, which compute products with weights in the library that is
     * fastest here, and {@code packed_int8}, which says whether libtorch's product with int8 weights may be used.
     *
     * @param resources as above
     * @return the kernels
     */
    public static Kernels withLinear(String... resources) {
        List<String> names = List.of(resources);
        return WITH_LINEAR.computeIfAbsent(names, any -> new Kernels(names, () -> LinearProducts.asked().source()));
    }

    /** Kernels that may not be there: loading them is a part of asking. */
    static Kernels asking(String resource) {
        return new Kernels(List.of(resource), () -> "  def one_dnn(self: __torch__.K, dtype: int) -> bool:\n    return True\n\n");
    }

    private long module() {
        long loaded = module;
        return loaded != 0 ? loaded : load();
    }

    private synchronized long load() {
        if (module == 0) {
            Torch.start();
            StringBuilder source = new StringBuilder(more.get());
            resources.forEach(name -> source.append(text(name)).append('\n'));
            InputStream archive = new ByteArrayInputStream(TorchArchive.of(source.toString()));
            try {
                PtSymbolBlock block = JniUtils.loadModule((PtNDManager) Torch.manager(), archive, false, false);
                module = block.getHandle();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return module;
    }

    static String text(String resource) {
        try (InputStream in = Kernels.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalArgumentException("Kernel source '" + resource + "' is not on the class path");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Runs a method that returns nothing.
     *
     * @param mode the autograd mode
     * @param method the method's name
     * @param arguments the arguments
     */
    public void run(Autograd mode, String method, Object... arguments) {
        call(mode, method, arguments, result -> null);
    }

    /**
     * Runs a method that returns one tensor.
     *
     * @param manager owner of the result
     * @param mode the autograd mode
     * @param method the method's name
     * @param arguments the arguments
     * @return the tensor, which must not be asked for its data type when it may be bfloat16
     */
    public NDArray tensor(NDManager manager, Autograd mode, String method, Object... arguments) {
        return call(mode, method, arguments, result -> new PtNDArray((PtNDManager) manager, TorchCalls.toTensor(result)));
    }

    /**
     * Runs a method that returns a list of tensors.
     *
     * @param manager owner of the results
     * @param mode the autograd mode
     * @param method the method's name
     * @param arguments the arguments
     * @return the tensors
     */
    public List<NDArray> tensors(NDManager manager, Autograd mode, String method, Object... arguments) {
        return call(mode, method, arguments, result -> {
            List<NDArray> list = new ArrayList<>();
            for (long handle : TorchCalls.toTensors(result)) {
                list.add(new PtNDArray((PtNDManager) manager, handle));
            }
            return list;
        });
    }

    /**
     * Runs a method that returns a {@code float}.
     *
     * @param mode the autograd mode
     * @param method the method's name
     * @param arguments the arguments
     * @return the number
     */
    public double number(Autograd mode, String method, Object... arguments) {
        return call(mode, method, arguments, TorchCalls::toDouble);
    }

    private <R> R call(Autograd mode, String method, Object[] arguments, LongFunction<R> unwrap) {
        long loaded = module();
        PREPARED.get();
        boolean before = JniUtils.isGradMode();
        boolean wanted = mode == Autograd.ON;
        if (before != wanted) {
            JniUtils.setGradMode(wanted);
        }
        long[] handles = new long[arguments.length];
        long result = 0;
        try {
            for (int i = 0; i < handles.length; i++) {
                handles[i] = wrap(arguments[i]);
            }
            result = run(loaded, method, handles, mode != Autograd.INFERENCE);
            return unwrap.apply(result);
        } catch (EngineException e) {
            UnsupportedException missing = LinearProducts.missing(e);
            throw missing == null ? e : missing;
        } finally {
            release(arguments, handles, result);
            if (before != wanted) {
                JniUtils.setGradMode(before);
            }
        }
    }

    private long run(long loaded, String method, long[] handles, boolean train) {
        if (called.contains(method)) {
            return TorchCalls.run(loaded, method, handles, train);
        }
        ExitGuard.begin();
        try {
            return TorchCalls.run(loaded, method, handles, train);
        } finally {
            ExitGuard.end();
            called.add(method);
        }
    }

    private static void release(Object[] arguments, long[] handles, long result) {
        if (result != 0) {
            TorchCalls.delete(result);
        }
        for (int i = 0; i < handles.length; i++) {
            if (handles[i] != 0 && !(arguments[i] instanceof TensorList)) {
                TorchCalls.delete(handles[i]);
            }
        }
    }

    private static long wrap(Object argument) {
        if (argument instanceof TensorList list) {
            return list.handle();
        } else if (argument instanceof PtNDArray tensor) {
            return TorchCalls.ofTensor(tensor.getHandle());
        } else if (argument instanceof Long || argument instanceof Integer) {
            return TorchCalls.of(((Number) argument).longValue());
        } else if (argument instanceof Double || argument instanceof Float) {
            return TorchCalls.of(((Number) argument).doubleValue());
        } else if (argument instanceof Boolean flag) {
            return TorchCalls.of(flag);
        } else if (argument instanceof String text) {
            return TorchCalls.of(text);
        } else if (argument instanceof long[] values) {
            return TorchCalls.of(values);
        } else if (argument instanceof double[] values) {
            return TorchCalls.of(values);
        } else if (argument instanceof List<?> tensors) {
            return TorchCalls.ofTensors(tensors.stream().mapToLong(t -> ((PtNDArray) t).getHandle()).toArray());
        }
        throw new IllegalArgumentException("A kernel argument of type " + argument.getClass().getName()
                + " has no TorchScript form: pass tensors, lists of tensors, numbers, booleans or strings");
    }
}
