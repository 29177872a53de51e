package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.llama.DocumentRows;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The training of one expert's stitch weights. Gates are one tensor for all models, so the gradient of the others' slices is set to zero before the optimizer
 * step, and what moments or weight decay do to them is undone after it.
 */
final class OneExpertTraining extends ForwardingTrainable {
    private static final OneExpertKernels KERNELS = Kernels.of(OneExpertKernels.class);

    private final StitchTraining all;
    private final String name;
    private final int index;
    private final Map<String, NDArray> parameters = new LinkedHashMap<>();
    private final Map<String, NDArray> saved = new LinkedHashMap<>();

    OneExpertTraining(StitchTraining all, String name, int index) {
        super(all);
        this.all = all;
        this.name = name;
        this.index = index;
        all.parameters().forEach((tensor, array) -> {
            if (tensor.contains(".gate.")) {
                parameters.put(tensor, array);
                saved.put(tensor, Tensors.copy(all.manager(), array, ElementType.FLOAT32));
            } else if (tensor.endsWith(".proj." + index + ".weight")) {
                parameters.put(tensor, array);
            }
        });
    }

    @Override
    public Map<String, NDArray> parameters() {
        return new LinkedHashMap<>(parameters);
    }

    @Override
    public float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed) {
        return ofThisExpert(super.accumulateGradients(tokens, tokenWeight, seed));
    }

    @Override
    public float[] accumulateGradients(DocumentRows rows, float tokenWeight, long seed) {
        return ofThisExpert(super.accumulateGradients(rows, tokenWeight, seed));
    }

    private float[] ofThisExpert(float[] losses) {
        saved.keySet().forEach(gate -> {
            try (NDArray gradient = parameters.get(gate).getGradient()) {
                KERNELS.zeroOthers(Autograd.OFF, gradient, index);
            }
        });
        return losses;
    }

    @Override
    public Optional<TrainingSource> source() {
        return all.source(name);
    }

    @Override
    public long passBytes(int rows, int length) {
        return all.passBytes(rows, length);
    }

    @Override
    protected void written() {
        restore();
    }

    @Override
    public void weightsChanged() {
        restore();
        super.weightsChanged();
    }

    private void restore() {
        saved.forEach((gate, before) -> KERNELS.restoreOthers(Autograd.OFF, parameters.get(gate), before, index));
    }

    @Override
    public Map<String, String> identity() {
        Map<String, String> identity = new LinkedHashMap<>(super.identity());
        identity.put("trained", "expert " + name + " alone");
        return identity;
    }
}
