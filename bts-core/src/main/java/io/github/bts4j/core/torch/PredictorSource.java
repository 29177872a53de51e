package io.github.bts4j.core.torch;

import ai.djl.Device;
import ai.djl.inference.Predictor;

/**
 * A translator that needs more than one forward pass of a language model, and therefore creates its own predictor.
 *
 * @param <I> input type
 * @param <O> output type
 */
public interface PredictorSource<I, O> {
    /**
     * Creates the predictor that {@link FrozenLm#newPredictor} returns for this translator.
     *
     * @param model the model
     * @param device where the predictor keeps its inputs
     * @return a new predictor, which the caller closes
     */
    Predictor<I, O> newPredictor(FrozenLm model, Device device);
}
