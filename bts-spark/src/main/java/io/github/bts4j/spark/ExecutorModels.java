package io.github.bts4j.spark;

import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.llama.Repacking;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import io.github.bts4j.core.torch.llama.Weights;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** The models that this process scores with, each opened once for all tasks. The one that was used least recently is closed when a third is opened. */
final class ExecutorModels {
    private static final int OPEN = 2;
    private static final Map<Address, TextModel> MODELS = new LinkedHashMap<>(8, 0.75f, true);

    private ExecutorModels() {}

    /** A model's place and how to load it; precision and quantization are empty for none. */
    record Address(String path, String precision, String quantization, Repacking repacking, Weights weights, boolean mapping, ExecutorPlace place) implements Serializable {
        static Address of(String path, ExecutorPlace place) {
            return of(path, LoadOptions.defaults(), place);
        }

        static Address of(Path path, LoadOptions options, ExecutorPlace place) {
            return of(path.toAbsolutePath().toString(), options, place);
        }

        private static Address of(String path, LoadOptions options, ExecutorPlace place) {
            if (options.device().isGpu()) {
                throw new UnsupportedException("Executors compute on the CPU, and the model is to be on " + options.device() + ": use the CPU, or compute in one process");
            }
            return new Address(path, options.precision().map(Precision::name).orElse(""), options.quantization().map(Quantization::name).orElse(""), options.repacking(), options.weights(), options.mapping(), place);
        }

        TextModel open() throws IOException {
            LoadOptions options = LoadOptions.defaults().withRepacking(repacking).withWeights(weights).withMapping(mapping);
            options = precision.isEmpty() ? options : options.withPrecision(Precision.valueOf(precision));
            Path model = place.find(path);
            StitchedFiles.prepare(model, place);
            return TextModel.open(model, quantization.isEmpty() ? options : options.withQuantization(Quantization.valueOf(quantization)));
        }
    }

    /** Opens a model, or finds it open; this thread then computes with the task's processors. */
    static TextModel open(Address address) throws IOException {
        Torch.threads(address.place().threads());
        synchronized (MODELS) {
            TextModel model = MODELS.get(address);
            if (model == null) {
                model = address.open();
                MODELS.put(address, model);
                if (MODELS.size() > OPEN) {
                    MODELS.remove(MODELS.keySet().iterator().next()).close();
                }
            }
            return model;
        }
    }
}
