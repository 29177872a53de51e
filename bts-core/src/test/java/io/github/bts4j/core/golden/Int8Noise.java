package io.github.bts4j.core.golden;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** A model whose matrices are off at random by as much as rounding to int8 puts them off: what int8 is measured against, since how far it may be off depends on the model. */
public final class Int8Noise {
    private Int8Noise() {}

    /** The float32 model of a folder plus noise, uniform within half a step of each row's int8 scale. */
    public static LlamaModel model(NDManager manager, Path folder, long seed) throws IOException {
        LoadOptions float32 = LoadOptions.defaults().withPrecision(Precision.FLOAT32);
        Random random = new Random(seed);
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        try (LlamaModel exact = LlamaModel.open(folder, float32); LlamaModel int8 = LlamaModel.open(folder, float32.withQuantization(Quantization.INT8))) {
            for (String name : LlamaTensors.shapes(exact.config()).keySet()) {
                NDArray tensor = exact.tensors().get(name);
                float[] values = Tensors.toFloats(tensor);
                NDArray scale = int8.tensors().get(name + "_scale");
                if (scale != null) {
                    float[] scales = Tensors.toFloats(scale);
                    int columns = values.length / scales.length;
                    for (int i = 0; i < values.length; i++) {
                        values[i] += (random.nextFloat() - 0.5f) * scales[i / columns];
                    }
                }
                tensors.put(name, Tensors.of(manager, values, tensor.getShape().getShape()));
            }
            return LlamaModel.of("noise", exact.config(), tensors, float32);
        }
    }
}
