package io.github.bts4j.core.torch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.engine.EngineException;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.support.ElementType;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The library that computes products with weights in this process, as probed once by {@link LinearProbe}. oneDNN has no
 * bfloat16 on processors without AVX-512, and other builds of libtorch may support less; libtorch's own {@code linear} always works.
 */
final class LinearProducts {
    /** The property that overrides the answers. */
    static final String PROPERTY = "bts4j.matmul";

    private static final Logger LOG = LoggerFactory.getLogger(LinearProducts.class);
    private static LinearProducts asked;

    private final String choice;
    private final Map<ElementType, String> oneDnnLacks = new EnumMap<>(ElementType.class); // with the reason
    private final Map<ElementType, String> packedInt8Lacks = new EnumMap<>(ElementType.class); // by the type that is computed in

    private LinearProducts(String choice) {
        this.choice = choice;
    }

    /**
     * The results, probed at the first call. They depend only on the processor, the build of libtorch and {@code -Dbts4j.matmul}, so that a run that is
     * resumed on the same machine computes the same.
     *
     * @throws IllegalArgumentException if {@code -Dbts4j.matmul} is none of its values
     * @throws UnsupportedException if it requests an unsupported library
     */
    static synchronized LinearProducts asked() {
        if (asked == null) {
            LinearProducts products = ask(System.getProperty(PROPERTY, "auto"));
            for (ElementType type : new ElementType[] {ElementType.FLOAT32, ElementType.BFLOAT16, ElementType.INT8}) {
                LOG.debug("Products of {}: {}", name(type), products.library(type));
            }
            asked = products;
        }
        return asked;
    }

    static LinearProducts ask(String choice) {
        throwIf(!choice.equals("auto") && !choice.equals("default") && !choice.equals("onednn"),
                () -> new IllegalArgumentException("-D" + PROPERTY + "=" + choice + " must be one of auto, default and onednn"));
        LinearProducts products = new LinearProducts(choice);
        LinearProbe probe = new LinearProbe();
        for (ElementType type : new ElementType[] {ElementType.FLOAT32, ElementType.BFLOAT16}) {
            String why = choice.equals("default") ? "-D" + PROPERTY + "=default" : !isOneDnnKnownHere() ? "it is not used on " + platform() : probe.oneDnn(type);
            if (!why.isEmpty()) {
                products.oneDnnLacks.put(type, why);
                throwIf(choice.equals("onednn"),
                        () -> new UnsupportedException("-D" + PROPERTY + "=onednn: oneDNN computes no " + name(type) + " products here (" + why
                                + "). Leave the option out, and libtorch computes what oneDNN does not"));
            }
        }
        for (ElementType type : new ElementType[] {ElementType.FLOAT32, ElementType.BFLOAT16, ElementType.FLOAT16}) {
            String why = probe.packedInt8(type);
            if (!why.isEmpty()) {
                products.packedInt8Lacks.put(type, why);
            }
        }
        return products;
    }

    /** On other platforms libtorch has no oneDNN, or one that was not compared with its default. */
    private static boolean isOneDnnKnownHere() {
        String architecture = System.getProperty("os.arch", "");
        return (architecture.equals("amd64") || architecture.equals("x86_64")) && !System.getProperty("os.name", "").startsWith("Mac");
    }

    private static String platform() {
        return System.getProperty("os.name") + " " + System.getProperty("os.arch");
    }

    static String name(ElementType type) {
        return type.name().toLowerCase(Locale.ROOT);
    }

    /** Whether the library is chosen by measurement, where there are two. */
    boolean isMeasured() {
        return choice.equals("auto");
    }

    /** Whether oneDNN may compute products of a type here. */
    boolean isOneDnn(ElementType type) {
        return !oneDnnLacks.containsKey(type);
    }

    /** Choices of kernels that exist here: libtorch's instead of those that do not. */
    KernelChoices possible(KernelChoices choices) {
        KernelChoices possible = choices;
        for (KernelOperation operation : KernelOperation.values()) {
            if (operation.isProduct() && !isOneDnn(operation.type())) {
                possible = possible.with(operation, operation.other());
            }
        }
        return possible;
    }

    /** The library, and the reason for not using oneDNN, for messages. */
    String library(ElementType type) {
        if (type == ElementType.INT8) {
            return packedInt8Lacks.isEmpty() ? "libtorch's kernel" : "libtorch, dequantised first (no int8 kernel: " + packedInt8Lacks.values().iterator().next() + ")";
        }
        String why = oneDnnLacks.get(type);
        return why == null ? "oneDNN" : "libtorch (not oneDNN: " + why + ")";
    }

    /** The same where the choices decide. */
    String library(ElementType type, KernelChoices choices) {
        if (type == ElementType.INT8 || !isOneDnn(type)) {
            return library(type);
        }
        boolean forward = choices.isUsual(type == ElementType.FLOAT32 ? KernelOperation.FORWARD_FLOAT32 : KernelOperation.FORWARD_BFLOAT16);
        boolean training = type == ElementType.FLOAT32 ? choices.isUsual(KernelOperation.TRAINING_FLOAT32) : forward;
        return forward == training ? forward ? "oneDNN" : "libtorch" : forward ? "oneDNN, within a graph by libtorch" : "libtorch, within a graph by oneDNN";
    }

    /**
     * Methods that give the kernels the library to use, then the kernels that call them.
     *
     * @param choices which library, where there are two
     * @param graph whether calls record a graph
     */
    String source(KernelChoices choices, boolean graph) {
        Map<ElementType, String> others = new EnumMap<>(oneDnnLacks);
        leaveOut(others, ElementType.FLOAT32, choices, graph ? KernelOperation.TRAINING_FLOAT32 : KernelOperation.FORWARD_FLOAT32);
        Map<ElementType, String> silu = new EnumMap<>(others);
        leaveOut(others, ElementType.BFLOAT16, choices, KernelOperation.FORWARD_BFLOAT16);
        leaveOut(silu, ElementType.BFLOAT16, choices, KernelOperation.SILU_BFLOAT16);
        Map<ElementType, String> blocks = new EnumMap<>(ElementType.class);
        leaveOut(blocks, ElementType.FLOAT32, choices, KernelOperation.ATTENTION_FLOAT32);
        leaveOut(blocks, ElementType.BFLOAT16, choices, KernelOperation.ATTENTION_BFLOAT16);
        boolean none = others.size() == 2 && silu.size() == 2;
        return answer("one_dnn", others, ElementType.FLOAT32, ElementType.BFLOAT16)
                + answer("one_dnn_silu", silu, ElementType.FLOAT32, ElementType.BFLOAT16)
                + answer("attends_in_blocks", blocks, ElementType.FLOAT32, ElementType.BFLOAT16)
                + answer("packed_int8", packedInt8Lacks, ElementType.FLOAT32, ElementType.BFLOAT16, ElementType.FLOAT16)
                + Kernels.text(LinearProducts.class, none ? "linear_default.py" : "linear.py")
                + Kernels.text(LinearProducts.class, packedInt8Lacks.size() == 3 ? "int8_default.py" : "int8.py");
    }

    private static void leaveOut(Map<ElementType, String> others, ElementType type, KernelChoices choices, KernelOperation operation) {
        if (!choices.isUsual(operation)) {
            others.put(type, operation.label() + "=" + choices.of(operation));
        }
    }

    private static String answer(String method, Map<ElementType, String> lacking, ElementType... types) {
        StringJoiner conditions = new StringJoiner(" or ").setEmptyValue("False");
        for (ElementType type : types) {
            if (!lacking.containsKey(type)) {
                conditions.add("dtype == " + type.code());
            }
        }
        return method(method, conditions.toString());
    }

    /** A method that answers yes for every element type, for kernels that ask for oneDNN whether it is known to compute them or not. */
    static String yes(String name) {
        return method(name, "True");
    }

    private static String method(String name, String value) {
        return "  def " + name + "(self: __torch__.K, dtype: int) -> bool:\n    return " + value + "\n\n";
    }

    /** The last line of a TorchScript trace, which is the error. */
    static String reason(Throwable e) {
        String[] lines = String.valueOf(e.getMessage()).strip().split("\\R");
        String last = lines[lines.length - 1].strip().split("\\. ")[0];
        return last.startsWith("RuntimeError: ") ? last.substring("RuntimeError: ".length()) : last;
    }

    /** The message for a kernel that the processor or libtorch does not support; null for other failures. */
    static UnsupportedException missing(EngineException e) {
        String message = String.valueOf(e.getMessage());
        boolean oneDnn = message.contains("could not create a primitive") || message.contains("could not execute a primitive");
        return !oneDnn ? null : new UnsupportedException("oneDNN does not compute this on this processor (" + reason(e)
                + "): start Java with -D" + PROPERTY + "=default (bts: BTS_JAVA_OPTIONS=-D" + PROPERTY + "=default), or load the model in float32", e);
    }
}
