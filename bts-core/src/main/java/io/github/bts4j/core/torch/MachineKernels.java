package io.github.bts4j.core.torch;

import ai.djl.engine.Engine;
import io.github.bts4j.core.support.Interrupts;
import io.github.bts4j.core.support.Processor;
import java.io.IOException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The kernels of this process, which are chosen at the first use of one: those that were faster on this machine when they were measured. {@code -Dbts4j.kernels}, or the environment variable {@code BTS_KERNELS}, is {@code measured}, the default; {@code usual} for the
 * kernels that are used without measurements; or choices as {@link KernelChoices} reads them. {@code -Dbts4j.matmul} overrides those of products. Immutable.
 */
public final class MachineKernels {
    static final String PROPERTY = "bts4j.kernels";
    private static final String VARIABLE = "BTS_KERNELS";
    private static final int FORMAT = 4; // another one after changes of the kernels, or of how they are chosen
    private static final Logger LOG = LoggerFactory.getLogger(MachineKernels.class);
    private static MachineKernels found;

    private final KernelChoices choices;
    private final Map<KernelOperation, double[]> milliseconds;
    private final String origin;

    private MachineKernels(KernelChoices choices, Map<KernelOperation, double[]> milliseconds, String origin) {
        this.choices = choices;
        this.milliseconds = milliseconds;
        this.origin = origin;
    }

    static KernelChoices choices() {
        return found().choices;
    }

    /**
     * The kernels of this process, measured at the first call unless that was done before.
     *
     * @return the kernels
     * @throws IllegalArgumentException if a property names a kernel that does not exist
     */
    public static synchronized MachineKernels found() {
        if (found == null) {
            String variable = System.getenv(VARIABLE);
            found = find(System.getProperty(PROPERTY, variable == null ? "measured" : variable), LinearProducts.asked());
            LOG.info("{}", found);
        }
        return found;
    }

    private static MachineKernels find(String wanted, LinearProducts products) {
        if (wanted.equals("measured") && products.isMeasured()) {
            KernelStore store = new KernelStore(folder(), machine());
            return Interrupts.postponed(() -> stored(store, () -> new KernelMeasurement(products).run(), products.possible(KernelChoices.usual())));
        }
        if (wanted.equals("measured") || wanted.equals("usual")) {
            return new MachineKernels(products.possible(KernelChoices.usual()), Map.of(), wanted.equals("usual") ? "-D" + PROPERTY + "=usual" : "-D" + LinearProducts.PROPERTY);
        }
        try {
            return new MachineKernels(products.possible(KernelChoices.parse(wanted)), Map.of(), "-D" + PROPERTY);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("-D" + PROPERTY + "=" + wanted + " must be measured, usual or a list: " + e.getMessage(), e);
        }
    }

    static MachineKernels stored(KernelStore store, KernelStore.Measurement measurement, KernelChoices unmeasured) {
        try {
            KernelStore.Measured measured = store.get(measurement);
            return new MachineKernels(measured.choices(), measured.milliseconds(), "measured, in " + store.file());
        } catch (IOException | OverlappingFileLockException e) {
            return new MachineKernels(unmeasured, Map.of(), "not measured, since " + store.file() + " cannot be written (" + e.getMessage() + ")");
        }
    }

    /** What times depend on. */
    private static String machine() {
        return "format " + FORMAT + ", " + Processor.name() + ", " + Processor.kind() + ", libtorch " + Engine.getEngine("PyTorch").getVersion() + ", Java "
                + System.getProperty("java.vm.version");
    }

    private static Path folder() {
        String chosen = System.getenv("XDG_CACHE_HOME");
        String windows = System.getenv("LOCALAPPDATA");
        Path home = Path.of(System.getProperty("user.home", "."));
        String system = System.getProperty("os.name", "");
        Path cache = chosen != null && !chosen.isBlank() ? Path.of(chosen) : system.startsWith("Mac") ? home.resolve("Library/Caches") : system.startsWith("Windows") && windows != null ? Path.of(windows)
                : home.resolve(".cache");
        return cache.resolve("bts4j");
    }

    /**
     * The kernel of an operation.
     *
     * @param operation the operation
     * @return its name
     */
    public String kernel(KernelOperation operation) {
        return choices.of(operation);
    }

    /**
     * What was measured of an operation.
     *
     * @param operation the operation
     * @return milliseconds of each of {@link KernelOperation#kernels}; none if nothing was measured
     */
    public List<Double> milliseconds(KernelOperation operation) {
        double[] both = milliseconds.get(operation);
        return both == null ? List.of() : List.of(both[0], both[1]);
    }

    /** {@return where the choices come from, such as the file that holds them} */
    public String origin() {
        return origin;
    }

    /** {@return one line: the kernels, and the times of those that were measured} */
    @Override
    public String toString() {
        StringJoiner line = new StringJoiner(", ", "Kernels: ", " (" + origin + ")");
        for (KernelOperation operation : KernelOperation.values()) {
            double[] both = milliseconds.get(operation);
            line.add(operation.label() + "=" + choices.of(operation) + (both == null ? "" : String.format(Locale.ROOT, " [%s %.2f ms, %s %.2f ms]", operation.usual(), both[0], operation.other(), both[1])));
        }
        return line.toString();
    }
}
