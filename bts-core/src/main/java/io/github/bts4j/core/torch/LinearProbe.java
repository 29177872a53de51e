package io.github.bts4j.core.torch;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.support.ElementType;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Supplier;

/**
 * Tiny products that show whether a kernel exists and is correct: its results may differ from Java's in double precision by their own
 * rounding and that of float32 sums. A kernel that computes in fewer bits than its type promises, as oneDNN does under {@code
 * ONEDNN_DEFAULT_FPMATH_MODE=BF16}, counts as absent.
 */
final class LinearProbe {
    private static final int[] ROWS = {1, 3, 20};
    private static final int IN = 64;
    private static final int OUT = 20;
    private static final int ROWS_OF_A_CONVOLUTION = 384; // above 20,480 values libtorch uses oneDNN
    private static final String INEXACT = "its sums are less exact than float32's";
    private static final double FLOAT32 = 0x1p-24; // unit roundoff
    private static final double ACTIVATION = 0x1p-16; // what vector code for exp may be off by, relatively

    private final Random random = new Random(1);
    private final OneDnnKernels oneDnn;
    private final Int8Kernels packed;

    LinearProbe() {
        this(Kernels.asking(OneDnnKernels.class, "linear.py"), Kernels.asking(Int8Kernels.class, "int8.py"));
    }

    LinearProbe(OneDnnKernels oneDnn, Int8Kernels packed) {
        this.oneDnn = oneDnn;
        this.packed = packed;
    }

    /** Values that a type holds exactly, as the tensor and in Java. */
    private record Values(NDArray tensor, float[] floats) {
    }

    /** Why oneDNN cannot compute products of a type here; empty if it can. */
    String oneDnn(ElementType type) {
        return tried(() -> {
            String why = "";
            try (NDManager scope = Torch.manager().newSubManager()) {
                Values w = values(scope, type, 1, OUT, IN);
                Values b = values(scope, type, 1, OUT);
                for (int rows : ROWS) {
                    Values x = values(scope, type, 1, rows, IN);
                    why += compared(x, w, b, type, y -> y, oneDnn.pointwise(scope, Autograd.INFERENCE, x.tensor, w.tensor, b.tensor, "none"));
                    why += compared(x, w, b, type, LinearProbe::silu, oneDnn.pointwise(scope, Autograd.INFERENCE, x.tensor, w.tensor, b.tensor, "swish"));
                }
                if (type == ElementType.FLOAT32) {
                    Values x = values(scope, type, 1, ROWS_OF_A_CONVOLUTION, IN);
                    why += compared(x, w, b, type, y -> y, oneDnn.convolved(scope, Autograd.OFF, x.tensor, w.tensor, b.tensor, ROWS_OF_A_CONVOLUTION));
                }
            }
            return why.isEmpty() ? "" : INEXACT;
        });
    }

    /** Why libtorch's kernel cannot multiply values of a type with int8 weights here; empty if it can. */
    String packedInt8(ElementType type) {
        return tried(() -> {
            String why = "";
            try (NDManager scope = Torch.manager().newSubManager()) {
                Values q = values(scope, ElementType.INT8, 127, OUT, IN);
                Values scale = values(scope, type, 0.01f, OUT);
                float[] weights = new float[OUT * IN];
                for (int i = 0; i < weights.length; i++) {
                    weights[i] = q.floats[i] * scale.floats[i / IN];
                }
                for (int rows : ROWS) {
                    Values x = values(scope, type, 1, rows, IN);
                    NDArray y = packed.packedProduct(scope, Autograd.INFERENCE, x.tensor, q.tensor, scale.tensor);
                    why += compared(x, new Values(q.tensor, weights), new Values(q.tensor, new float[OUT]), type, z -> z, y);
                }
            }
            return why.isEmpty() ? "" : INEXACT;
        });
    }

    private static String tried(Supplier<String> question) {
        try {
            return question.get();
        } catch (EngineException e) {
            return LinearProducts.reason(e);
        } catch (UnsupportedException e) {
            return LinearProducts.reason(e.getCause());
        }
    }

    private Values values(NDManager scope, ElementType type, float size, long... shape) {
        int count = 1;
        for (long dimension : shape) {
            count *= (int) dimension;
        }
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = size * (2 * random.nextFloat() - 1);
        }
        NDArray tensor = Tensors.copy(scope, Tensors.of(scope, values, shape), type);
        return new Values(tensor, Tensors.toFloats(tensor));
    }

    private static double silu(double z) {
        return z / (1 + Math.exp(-z));
    }

    /** Empty if each element is within the rounding of its type and of its sum in any order; otherwise describes the first that is not. */
    private static String compared(Values x, Values w, Values b, ElementType type, DoubleUnaryOperator activation, NDArray y) {
        float[] actual = Tensors.toFloats(y);
        for (int at = 0; at < actual.length; at++) {
            int row = at / OUT * IN;
            int column = at % OUT;
            double sum = b.floats[column];
            double size = Math.abs(sum);
            for (int i = 0; i < IN; i++) {
                double product = (double) x.floats[row + i] * w.floats[column * IN + i];
                sum += product;
                size += Math.abs(product);
            }
            double exact = activation.applyAsDouble(sum);
            double rounding = unitRoundoff(type) * Math.max(Math.abs(exact), Math.abs(sum)) + (IN + 2) * FLOAT32 * size;
            if (!(Math.abs(actual[at] - exact) <= 1.1 * rounding + ACTIVATION * Math.abs(exact))) { // silu's slope is at most 1.1
                return exact + " expected, " + actual[at] + " found; ";
            }
        }
        return "";
    }

    private static double unitRoundoff(ElementType type) {
        return switch (type) {
            case BFLOAT16 -> 0x1p-8;
            case FLOAT16 -> 0x1p-11;
            default -> FLOAT32;
        };
    }
}
