package io.github.bts4j.core.torch;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Which kernel computes each {@link KernelOperation}. A process has choices, which were measured on this machine and are stored for later processes; a thread
 * can be bound to others for a time, so that a resumed training, or an executor, computes with the kernels that the run began with. Immutable and thread-safe.
 */
public final class KernelChoices {
    private static final ThreadLocal<KernelChoices> BOUND = new ThreadLocal<>();

    private final Map<KernelOperation, String> kernels;
    private final String forward;
    private final String training;

    private KernelChoices(Map<KernelOperation, String> kernels) {
        this.kernels = kernels;
        this.forward = variant(KernelOperation.FORWARD_FLOAT32);
        this.training = variant(KernelOperation.TRAINING_FLOAT32);
    }

    /** A thread's binding, which the same thread closes. */
    public interface Binding extends AutoCloseable {
        @Override
        void close();
    }

    /** {@return the choices that are used without measurements} */
    static KernelChoices usual() {
        return new KernelChoices(Arrays.stream(KernelOperation.values()).collect(Collectors.toMap(each -> each, KernelOperation::usual, (a, b) -> a, () -> new EnumMap<>(KernelOperation.class))));
    }

    /** {@return the choices that this thread computes with: those it is bound to, or else the process's} */
    public static KernelChoices current() {
        KernelChoices bound = BOUND.get();
        return bound != null ? bound : MachineKernels.choices();
    }

    /**
     * Reads {@link #toString}'s form. What is not named there is computed as without measurements, so that texts of earlier versions can be read.
     *
     * @param text such as {@code forward.float32=onednn, training.float32=default}
     * @return the choices
     * @throws IllegalArgumentException if an operation or a kernel does not exist
     */
    public static KernelChoices parse(String text) {
        KernelChoices choices = usual();
        for (String each : text.isBlank() ? new String[0] : text.split(",", -1)) {
            String[] pair = each.strip().split("=", 2);
            KernelOperation operation = KernelOperation.named(pair[0])
                    .filter(known -> pair.length == 2 && known.kernels().contains(pair[1]))
                    .orElseThrow(() -> new IllegalArgumentException("'" + each.strip() + "' names no kernel; the operations are " + usual()));
            choices = choices.with(operation, pair[1]);
        }
        return choices;
    }

    KernelChoices with(KernelOperation operation, String kernel) {
        Map<KernelOperation, String> changed = new EnumMap<>(kernels);
        changed.put(operation, kernel);
        return new KernelChoices(changed);
    }

    /** {@return the same, with libtorch's kernels in place of those that this processor does not have} */
    public KernelChoices possible() {
        return LinearProducts.asked().possible(this);
    }

    /**
     * The kernel of an operation.
     *
     * @param operation the operation
     * @return one of its kernels
     */
    public String of(KernelOperation operation) {
        return kernels.get(operation);
    }

    boolean isUsual(KernelOperation operation) {
        return kernels.get(operation).equals(operation.usual());
    }

    /**
     * Binds the calling thread to these choices.
     *
     * @return the binding, whose closing restores the earlier one
     */
    public Binding bind() {
        KernelChoices before = BOUND.get();
        BOUND.set(this);
        return () -> {
            if (before == null) {
                BOUND.remove();
            } else {
                BOUND.set(before);
            }
        };
    }

    /** {@return what differs from the usual kernels in calls without a graph, for keys of stored results; empty if nothing does} */
    public String unusualForward() {
        return Arrays.stream(KernelOperation.values()).filter(each -> each != KernelOperation.TRAINING_FLOAT32 && !isUsual(each)).map(each -> each.label() + "=" + of(each)).collect(Collectors.joining(", "));
    }

    /** Identifies the source of the kernels: calls with a graph and those without differ in their float32 products. */
    String variant(boolean graph) {
        return graph ? training : forward;
    }

    private String variant(KernelOperation float32) {
        return "float32=" + kernels.get(float32) + kernels.entrySet().stream().filter(each -> each.getKey() != KernelOperation.FORWARD_FLOAT32 && each.getKey() != KernelOperation.TRAINING_FLOAT32)
                .map(each -> " " + each.getKey().label() + "=" + each.getValue()).collect(Collectors.joining());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof KernelChoices choices && choices.kernels.equals(kernels);
    }

    @Override
    public int hashCode() {
        return kernels.hashCode();
    }

    /** {@return the kernels by operation, as {@link #parse} reads them} */
    @Override
    public String toString() {
        return kernels.entrySet().stream().map(each -> each.getKey().label() + "=" + each.getValue()).collect(Collectors.joining(", "));
    }
}
