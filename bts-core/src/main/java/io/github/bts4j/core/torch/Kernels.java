package io.github.bts4j.core.torch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.engine.EngineException;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.support.ElementType;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * TorchScript methods, written as readable resource files and loaded from memory at run time, behind Java interfaces.
 *
 * <p>A method of the interface has the name of the TorchScript method in Java's spelling ({@code forwardHidden} for {@code forward_hidden}) and the same
 * parameters. The first parameters are the {@link Autograd} mode and, if tensors are returned, the manager that will own them. An interface that extends another
 * has its methods too. The methods hold no weights. Thread-safe: one set serves many threads, and lives as long as the process.
 */
public final class Kernels implements InvocationHandler {
    private static final Map<Class<?>, Object> LOADED = new ConcurrentHashMap<>();
    private static final ThreadLocal<Boolean> PREPARED = ThreadLocal.withInitial(() -> {
        JniUtils.setGraphExecutorOptimize(false); // thread-local in libtorch; profiling runs cost memory and the first calls
        return Boolean.TRUE;
    });

    private static final String SINGLE = "";

    private final Map<Method, KernelCall> calls = new HashMap<>();
    private final Source source;
    private final Map<String, Long> modules = new ConcurrentHashMap<>(); // by the variant of the choices that they were compiled with

    /** The source of kernels. */
    private interface Source {
        String of(KernelChoices choices, boolean graph);

        /** Whether it depends on the choices. */
        default boolean isChosen() {
            return false;
        }
    }

    /** With products, in the libraries that the choices name. */
    private record ChosenSource(String text) implements Source {
        @Override
        public String of(KernelChoices choices, boolean graph) {
            return LinearProducts.asked().source(choices, graph) + text;
        }

        @Override
        public boolean isChosen() {
            return true;
        }
    }

    private Kernels(Class<?> kernels, Source source) {
        this.source = source;
        for (Method method : kernels.getMethods()) {
            calls.put(method, KernelCall.of(method));
        }
    }

    /**
     * The kernels of an interface, loaded once per process at the first call.
     *
     * @param <K> the interface
     * @param kernels an interface with {@link KernelSource}
     * @return the kernels
     */
    public static <K> K of(Class<K> kernels) {
        return kernels.cast(LOADED.computeIfAbsent(kernels, any -> proxy(kernels, source(kernels))));
    }

    /** Kernels that may be missing; loading them shows whether they are. */
    static <K> K asking(Class<K> kernels, String resource) {
        return proxy(kernels, (choices, graph) -> LinearProducts.yes("one_dnn") + LinearProducts.yes("one_dnn_silu") + text(kernels, resource));
    }

    private static <K> K proxy(Class<K> kernels, Source source) {
        return kernels.cast(Proxy.newProxyInstance(kernels.getClassLoader(), new Class<?>[] {kernels}, new Kernels(kernels, source)));
    }

    private static Source source(Class<?> kernels) {
        Set<Class<?>> all = new LinkedHashSet<>();
        collect(kernels, all);
        boolean products = all.stream().anyMatch(each -> each.isAnnotationPresent(KernelSource.class) && each.getAnnotation(KernelSource.class).products());
        StringBuilder source = new StringBuilder();
        for (Class<?> each : all) {
            if (each.isAnnotationPresent(KernelSource.class)) {
                source.append(text(each, each.getAnnotation(KernelSource.class).value())).append('\n');
            }
        }
        String text = source.toString();
        return products ? new ChosenSource(text) : (choices, graph) -> text;
    }

    private static void collect(Class<?> kernels, Set<Class<?>> all) {
        for (Class<?> parent : kernels.getInterfaces()) {
            collect(parent, all);
        }
        all.add(kernels);
    }

    /** Reads a file beside a class, and replaces element types by PyTorch's numbers. */
    static String text(Class<?> beside, String resource) {
        try (InputStream in = beside.getResourceAsStream(resource)) {
            throwIf(in == null, () -> new IllegalArgumentException("Kernel source '" + resource + "' is not beside "  + beside.getName()));
            return ElementType.numbered(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
        KernelCall call = calls.get(method);
        return call == null ? method.invoke(this, arguments) : run(call, arguments); // toString and the like
    }

    private Object run(KernelCall call, Object[] arguments) {
        Autograd mode = call.mode(arguments);
        boolean wanted = mode == Autograd.ON;
        long loaded = module(wanted);
        PREPARED.get();
        boolean before = JniUtils.isGradMode();
        if (before != wanted) {
            JniUtils.setGradMode(wanted);
        }
        try {
            return call.run(loaded, arguments, mode != Autograd.INFERENCE);
        } catch (EngineException e) {
            UnsupportedException missing = LinearProducts.missing(e);
            throw missing == null ? e : missing;
        } finally {
            if (before != wanted) {
                JniUtils.setGradMode(before);
            }
        }
    }

    private long module(boolean graph) {
        KernelChoices choices = source.isChosen() ? KernelChoices.current() : null;
        String variant = choices == null ? SINGLE : choices.variant(graph);
        Long loaded = modules.get(variant);
        return loaded != null ? loaded : load(variant, choices, graph);
    }

    private synchronized long load(String variant, KernelChoices choices, boolean graph) {
        Long loaded = modules.get(variant);
        if (loaded == null) {
            Torch.start();
            InputStream archive = new ByteArrayInputStream(TorchArchive.of(source.of(choices, graph)));
            try {
                PtSymbolBlock block = JniUtils.loadModule((PtNDManager) Torch.manager(), archive, false, false);
                loaded = block.getHandle();
                modules.put(variant, loaded);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return loaded;
    }
}
