package io.github.bts4j.spark;

import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** The models that this process scores with, each opened once for all tasks. The one that was used least recently is closed when a third is opened. */
final class ExecutorModels {
    private static final int OPEN = 2;
    private static final Map<Address, TextModel> MODELS = new LinkedHashMap<>(8, 0.75f, true);

    private ExecutorModels() {}

    /** A model's place and the type to compute in; the precision is empty for the files' own. */
    record Address(String path, String precision, boolean int8, HashMap<String, String> origins) implements Serializable {
        static Address of(String path) {
            return new Address(path, "", false, SharedFiles.origins());
        }

        static Address of(Path path, LoadOptions options) {
            return new Address(path.toAbsolutePath().toString(), options.precision().map(Precision::name).orElse(""), options.quantization().isPresent(), SharedFiles.origins());
        }

        TextModel open() throws IOException {
            LoadOptions options = precision.isEmpty() ? LoadOptions.defaults() : LoadOptions.defaults().withPrecision(Precision.valueOf(precision));
            return TextModel.open(SharedFiles.find(path, origins), int8 ? options.withQuantization(Quantization.INT8) : options);
        }
    }

    static TextModel open(Address address) throws IOException {
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
