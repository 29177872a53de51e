package io.github.bts4j.train;

import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.optim.LearningRate;
import java.util.List;

/** Estimates of the memory that a process needs to compute passes, without the optimizer, the Java heap and mapped files. */
final class PassMemory {
    private PassMemory() {}

    /** Of a stitched model: its plan, and frozen weights that are not those of the files. */
    static long of(StitchedModel model, ActivationCheckpointing checkpointing, int rows, int length) {
        List<LlamaModel> models = model.models();
        TrainerConfig trainer = TrainerConfig.of(1, rows, length, new LearningRate.Constant(1e-3));
        TrainingPlan.Memory plan = TrainingPlan.of(models.stream().map(LlamaModel::config).toList(), models.get(0).precision(), model.config(), trainer, checkpointing).memory();
        return plan.peak() - plan.optimizer() + models.stream().mapToLong(PassMemory::converted).sum();
    }

    /** Of one model, all of whose weights are trained, or an adapter beside them, which has fewer. */
    static long of(LlamaConfig config, long trained, ActivationCheckpointing checkpointing, int rows, int length) {
        return TrainingPlan.RUNTIME + 2 * trained * Float.BYTES + Activations.ofModel(config, checkpointing, (long) rows * length);
    }

    /** Weights in another type than the file's are copies. */
    private static long converted(LlamaModel model) {
        long parameters = LlamaTensors.parameterCount(model.config());
        if (model.isQuantized()) {
            return parameters;
        }
        return model.precision() == model.config().dtype() ? 0 : parameters * (model.precision() == Precision.FLOAT32 ? Float.BYTES : Short.BYTES);
    }
}
