package io.github.bts4j.train.benchmark;

import ai.djl.engine.Engine;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.rows.Arithmetic;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.support.Processor;
import io.github.bts4j.core.torch.KernelChoices;
import io.github.bts4j.core.torch.Torch;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The machine and the programs that figures belong to.
 *
 * @param processor the processor's name
 * @param extensions those of its vector extensions that kernels use
 * @param processors processors that this process may use
 * @param memoryBytes the machine's memory
 * @param system the operating system
 * @param java the JVM
 * @param engine libtorch and DJL
 * @param threads threads of a tensor operation
 * @param decoding what decodes few tokens: Java's vector instructions or libtorch
 * @param products the library of products by element type
 * @param kernels those that are chosen by measurement, see {@link KernelChoices}
 */
public record Machine(String processor, List<String> extensions, int processors, long memoryBytes, String system, String java, String engine, int threads, String decoding, Map<String, String> products, String kernels) {
    private static final List<String> KNOWN = List.of("avx2", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8", "asimd", "bf16", "i8mm", "sve");

    /**
     * Copies the collections.
     *
     * @param processor the processor's name
     * @param extensions those of its vector extensions that kernels use
     * @param processors processors that this process may use
     * @param memoryBytes the machine's memory
     * @param system the operating system
     * @param java the JVM
     * @param engine libtorch and DJL
     * @param threads threads of a tensor operation
     * @param decoding what decodes few tokens: Java's vector instructions or libtorch
     * @param products the library of products by element type
     * @param kernels those that are chosen by measurement, see {@link KernelChoices}
     */
    public Machine {
        extensions = List.copyOf(extensions);
        products = Map.copyOf(products);
    }

    /** {@return this machine, as this process finds it} */
    public static Machine here() {
        Torch.start();
        Engine torch = Engine.getEngine("PyTorch");
        List<String> has = Processor.extensions();
        Map<String, String> products = new TreeMap<>();
        for (ElementType type : List.of(ElementType.FLOAT32, ElementType.BFLOAT16, ElementType.INT8)) {
            products.put(type.name().toLowerCase(Locale.ROOT), Torch.productsOf(type));
        }
        return new Machine(Processor.name(), KNOWN.stream().filter(has::contains).toList(), Runtime.getRuntime().availableProcessors(), memory(),
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " " + System.getProperty("os.arch"),
                System.getProperty("java.vm.name") + " " + System.getProperty("java.version") + " (" + System.getProperty("java.vendor") + ")",
                "libtorch " + torch.getVersion() + " (DJL " + Engine.getDjlVersion() + ")", Torch.threads(),
                Arithmetic.available().map(math -> "Java, " + math.getClass().getSimpleName()).orElse("libtorch"), products, KernelChoices.current().toString());
    }

    private static long memory() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system ? system.getTotalMemorySize() : 0;
    }

    /** {@return processes that run or wait for a processor, as a mean over the last minute; negative where the system does not say} */
    public static double load() {
        return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    }

    /** {@return the same as one object} */
    public ObjectNode json() {
        ObjectNode json = JsonReader.object().put("processor", processor);
        extensions.forEach(json.putArray("extensions")::add);
        json.put("processors", processors).put("memory_bytes", memoryBytes).put("system", system).put("java", java).put("engine", engine).put("threads", threads).put("decoding", decoding);
        products.forEach(json.putObject("products")::put);
        return json.put("kernels", kernels);
    }

    /** {@return several lines} */
    public String text() {
        return String.format(Locale.ROOT, "%s, %d %s, %.1f GiB of memory, %s%nprocessor's extensions: %s%n%s; %s; %d %s%nfew tokens are decoded in %s; products: %s%nkernels: %s%n", processor, processors,
                processors == 1 ? "processor" : "processors", memoryBytes / (double) (1 << 30), system, extensions.isEmpty() ? "unknown" : String.join(" ", extensions), java, engine, threads,
                threads == 1 ? "thread" : "threads", decoding,
                new TreeMap<>(products).entrySet().stream().map(each -> each.getKey() + " by " + each.getValue()).collect(Collectors.joining(", ")), kernels);
    }
}
