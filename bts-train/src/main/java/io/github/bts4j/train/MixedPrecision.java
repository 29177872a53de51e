package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Kernels;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;

/** Passes in bfloat16 over weights that stay float32. */
final class MixedPrecision {
    /** What passes compute in. */
    static final ElementType TYPE = ElementType.BFLOAT16;

    private static final AdapterTrainingKernels KERNELS = Kernels.of(AdapterTrainingKernels.class);

    private MixedPrecision() {}

    /** The weights of one pass, rounded; gradients reach those that are trained. */
    static Map<String, NDArray> rounded(NDManager step, Autograd mode, Map<String, NDArray> weights, Predicate<String> isTrained) {
        Map<String, NDArray> rounded = new LinkedHashMap<>();
        weights.forEach((name, tensor) -> rounded.put(name, KERNELS.typedParameter(step, isTrained.test(name) ? mode : Autograd.OFF, tensor, TYPE)));
        return rounded;
    }

    /** Makes a run one that only the same precision resumes. */
    static void identify(Map<String, String> identity) {
        identity.put("computed in", TYPE.name());
    }
}
