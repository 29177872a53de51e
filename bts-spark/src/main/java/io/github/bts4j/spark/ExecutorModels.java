package io.github.bts4j.spark;

import io.github.bts4j.core.text.TextModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** The models that this process scores with, each opened once for all tasks. The one that was used least recently is closed when a third is opened. */
final class ExecutorModels {
    private static final int OPEN = 2;
    private static final Map<Path, TextModel> MODELS = new LinkedHashMap<>(8, 0.75f, true);

    private ExecutorModels() {}

    static TextModel open(String address) throws IOException {
        Path path = SharedFiles.local(address);
        synchronized (MODELS) {
            TextModel model = MODELS.get(path);
            if (model == null) {
                model = TextModel.open(path);
                MODELS.put(path, model);
                if (MODELS.size() > OPEN) {
                    MODELS.remove(MODELS.keySet().iterator().next()).close();
                }
            }
            return model;
        }
    }
}
