package io.github.bts4j.core.torch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.FileFormatException;
import io.github.bts4j.core.support.ElementType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Map;

/** Finds NaN and infinite values in weights of damaged or diverged models. */
public final class FiniteTensors {
    private static final int FLOAT32_EXPONENT = 0x7f80_0000;
    private static final long FLOAT64_EXPONENT = 0x7ff0_0000_0000_0000L;
    private static final int BFLOAT16_EXPONENT = 0x7f80;
    private static final int FLOAT16_EXPONENT = 0x7c00;

    private FiniteTensors() {}

    /**
     * Refuses weights that are not finite. Reads every value once.
     *
     * @param model the model's name
     * @param tensors name to tensor; integers are skipped
     * @throws FileFormatException naming the first tensor with NaN or an infinity
     */
    public static void require(String model, Map<String, NDArray> tensors) {
        tensors.forEach((name, tensor) -> {
            long at = firstOther(tensor);
            throwIf(at >= 0, () -> new FileFormatException(Path.of(model), "Model '" + model + "': the weight " + at + " of tensor '" + name
                    + "' is NaN or infinite: the checkpoint is damaged, or its training diverged; use an older one"));
        });
    }

    /**
     * The first value that is NaN or infinite.
     *
     * @param tensor the tensor
     * @return its index in row-major order; -1 if all are finite
     */
    public static long firstOther(NDArray tensor) {
        ElementType type = Tensors.type(tensor);
        long before = 0;
        if (type == ElementType.FLOAT64 || type == ElementType.FLOAT32 || type == ElementType.FLOAT16 || type == ElementType.BFLOAT16) {
            for (ByteBuffer bytes : Tensors.bytes(tensor)) {
                int at = firstOther(type, bytes.order(ByteOrder.LITTLE_ENDIAN));
                if (at >= 0) {
                    return before + at;
                }
                before += bytes.remaining() / type.bytes();
            }
        }
        return -1;
    }

    private static int firstOther(ElementType type, ByteBuffer bytes) {
        int from = bytes.position();
        int count = bytes.remaining() / type.bytes();
        for (int i = 0; i < count; i++) {
            int at = from + i * type.bytes();
            boolean other = switch (type) {
                case FLOAT64 -> (bytes.getLong(at) & FLOAT64_EXPONENT) == FLOAT64_EXPONENT;
                case FLOAT32 -> (bytes.getInt(at) & FLOAT32_EXPONENT) == FLOAT32_EXPONENT;
                case BFLOAT16 -> (bytes.getShort(at) & BFLOAT16_EXPONENT) == BFLOAT16_EXPONENT;
                default -> (bytes.getShort(at) & FLOAT16_EXPONENT) == FLOAT16_EXPONENT;
            };
            if (other) {
                return i;
            }
        }
        return -1;
    }
}
