package io.github.bts4j.core.torch;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.support.ElementType;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Measures both kernels of each operation in turn, on shapes of small models, for a few tens of milliseconds of one thread's processor time. The shortest time counts, which other load disturbs least. The usual kernel stays unless the
 * other one takes at most {@link KernelOperation#margin} of its time in both halves of the measurement.
 */
final class KernelMeasurement {
    private static final Logger LOG = LoggerFactory.getLogger(KernelMeasurement.class);
    private static final int FEWEST = 4;
    private static final int MOST = 12;
    private static final double BUDGET = 25e6; // nanoseconds of an operation
    private static final int ROWS = 256;
    private static final int SLICE_ROWS = 512; // of a training slice: what SiLU costs beside a product of fewer rows varies more from run to run
    private static final int IN = 576;
    private static final int OUT = 1536;
    private static final int FEW_ROWS = 24; // products of one row that weigh as much as one of many
    private static final int HEADS = 9;
    private static final int KV_HEADS = 3;
    private static final int HEAD_DIM = 64;

    private final OneDnnKernels oneDnn = Kernels.asking(OneDnnKernels.class, "linear.py");
    private final MeasuredKernels libtorch = Kernels.of(MeasuredKernels.class);
    private final Random random = new Random(1);
    private final LinearProducts products;

    KernelMeasurement(LinearProducts products) {
        this.products = products;
    }

    /** On one thread, of whose processor time other load takes little; the thread's number of threads is as before afterwards. */
    KernelStore.Measured run() {
        int threads = Torch.threads();
        Torch.threads(1);
        try {
            return measured();
        } finally {
            Torch.threads(threads);
        }
    }

    private KernelStore.Measured measured() {
        KernelChoices choices = products.possible(KernelChoices.usual());
        Map<KernelOperation, double[]> times = new EnumMap<>(KernelOperation.class);
        for (KernelOperation operation : KernelOperation.values()) {
            if (!choices.isUsual(operation)) {
                continue; // there is no other kernel
            }
            try {
                double[] both = times(operation, choices);
                times.put(operation, both);
                choices = isOtherTaken(operation, both) ? choices.with(operation, operation.other()) : choices;
            } catch (EngineException | UnsupportedException e) {
                LOG.debug("{} was not measured", operation.label(), e);
            }
        }
        return new KernelStore.Measured(choices, times);
    }

    static boolean isOtherTaken(KernelOperation operation, double[] times) {
        return times[1] < operation.margin() * times[0];
    }

    private double[] times(KernelOperation operation, KernelChoices choices) {
        try (NDManager scope = Torch.manager().newSubManager(Device.cpu())) {
            return switch (operation) {
                case FORWARD_FLOAT32 -> forward(scope, operation);
                case TRAINING_FLOAT32 -> training(scope, operation);
                case FORWARD_BFLOAT16 -> fewRows(scope, operation);
                case SILU_BFLOAT16 -> silu(scope, operation);
                case ATTENTION_FLOAT32, ATTENTION_BFLOAT16 -> attention(scope, operation, choices);
            };
        }
    }

    private double[] forward(NDManager scope, KernelOperation operation) {
        Product product = new Product(scope, operation.type(), ROWS);
        return compared(operation, () -> oneDnn.pointwise(scope, Autograd.INFERENCE, product.x, product.w, product.b, "none").close(),
                () -> libtorch.usualProduct(scope, Autograd.INFERENCE, product.x, product.w, product.b).close());
    }

    private double[] training(NDManager scope, KernelOperation operation) {
        Product product = new Product(scope, operation.type(), ROWS);
        List.of(product.x, product.w).forEach(each -> each.setRequiresGradient(true));
        return compared(operation, () -> backward(oneDnn.convolved(scope, Autograd.ON, product.x, product.w, product.b, ROWS)),
                () -> backward(libtorch.usualProduct(scope, Autograd.ON, product.x, product.w, product.b)));
    }

    private void backward(NDArray y) {
        libtorch.backwardSum(Autograd.ON, y);
        y.close();
    }

    private double[] fewRows(NDManager scope, KernelOperation operation) {
        Product one = new Product(scope, operation.type(), 1);
        return compared(operation, () -> {
            for (int i = 0; i < FEW_ROWS; i++) {
                oneDnn.pointwise(scope, Autograd.INFERENCE, one.x, one.w, one.b, "none").close();
            }
        }, () -> {
            for (int i = 0; i < FEW_ROWS; i++) {
                libtorch.usualProduct(scope, Autograd.INFERENCE, one.x, one.w, one.b).close();
            }
        });
    }

    private double[] silu(NDManager scope, KernelOperation operation) {
        Product many = new Product(scope, operation.type(), SLICE_ROWS);
        return compared(operation, () -> oneDnn.pointwise(scope, Autograd.INFERENCE, many.x, many.w, many.b, "swish").close(),
                () -> libtorch.usualSilu(scope, Autograd.INFERENCE, many.x, many.w, many.b).close());
    }

    /** A whole prompt, and a block of one after as many tokens. */
    private double[] attention(NDManager scope, KernelOperation operation, KernelChoices choices) {
        DecoderKernels kernels = Kernels.of(DecoderKernels.class);
        NDArray q = values(scope, operation.type(), 1, HEADS, ROWS, HEAD_DIM);
        NDArray k = values(scope, operation.type(), 1, KV_HEADS, 2 * ROWS, HEAD_DIM);
        NDArray half = values(scope, operation.type(), 1, KV_HEADS, ROWS, HEAD_DIM);
        Runnable attend = () -> {
            kernels.attend(scope, Autograd.INFERENCE, q, half, half, 0.125, 0).close();
            kernels.attend(scope, Autograd.INFERENCE, q, k, k, 0.125, 0).close();
        };
        return compared(operation, () -> bound(choices.with(operation, operation.usual()), attend), () -> bound(choices.with(operation, operation.other()), attend));
    }

    @SuppressWarnings("try") // the binding is only held
    private static void bound(KernelChoices choices, Runnable work) {
        try (KernelChoices.Binding binding = choices.bind()) {
            work.run();
        }
    }

    /** The shortest times of both in milliseconds. Where the two halves of the rounds disagree, the usual kernel's is the shorter one. */
    private double[] compared(KernelOperation operation, Runnable usual, Runnable other) {
        usual.run();
        other.run(); // the first calls compile kernels
        double[] even = {Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY};
        double[] odd = even.clone();
        long begin = System.nanoTime();
        for (int i = 0; i < FEWEST || i < MOST && System.nanoTime() - begin < BUDGET; i++) {
            double[] half = i % 2 == 0 ? even : odd;
            half[0] = Math.min(half[0], milliseconds(usual));
            half[1] = Math.min(half[1], milliseconds(other));
        }
        return isOtherTaken(operation, even) == isOtherTaken(operation, odd) ? new double[] {Math.min(even[0], odd[0]), Math.min(even[1], odd[1])}
                : new double[] {Math.min(even[0], odd[0]), Math.max(even[1], odd[1])};
    }

    private static double milliseconds(Runnable work) {
        long begin = processorTime();
        work.run();
        return (processorTime() - begin) / 1e6;
    }

    /** Of this thread, where the system counts it. */
    private static long processorTime() {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        return threads.isCurrentThreadCpuTimeSupported() ? threads.getCurrentThreadCpuTime() : System.nanoTime();
    }

    private NDArray values(NDManager scope, ElementType type, long... shape) {
        float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < values.length; i++) {
            values[i] = 2 * random.nextFloat() - 1;
        }
        return Tensors.copy(scope, Tensors.of(scope, values, shape), type);
    }

    /** Operands. */
    private final class Product {
        final NDArray x;
        final NDArray w;
        final NDArray b;

        Product(NDManager scope, ElementType type, int rows) {
            x = values(scope, type, rows, IN);
            w = values(scope, type, OUT, IN);
            b = values(scope, type, OUT);
        }
    }
}
