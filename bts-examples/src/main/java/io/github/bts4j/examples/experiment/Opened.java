package io.github.bts4j.examples.experiment;

import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.util.List;

/**
 * A model that was opened for scoring.
 *
 * @param model the model
 * @param beneath models that it runs but does not close
 */
record Opened(FrozenLm model, List<LlamaModel> beneath) implements AutoCloseable {
    static Opened alone(FrozenLm model) {
        return new Opened(model, List.of());
    }

    @Override
    public void close() {
        model.close();
        beneath.forEach(LlamaModel::close);
    }
}
