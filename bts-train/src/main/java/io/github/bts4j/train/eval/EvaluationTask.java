package io.github.bts4j.train.eval;

import java.util.List;

/** A set of items that models are evaluated on. Immutable. */
public sealed interface EvaluationTask permits ChoiceTask, ClozeTask, ExactMatchTask, MethodTask {
    /** {@return the name in results} */
    String name();

    /** {@return the number of items} */
    int size();

    /**
     * {@return the SHA-256, in lower-case hexadecimal, of the items and the rules of scoring: results with the same identity can be
     * compared item by item}
     */
    String identity();

    /**
     * Evaluates a model.
     *
     * @param model the model
     * @return one result per metric, with 95 % intervals
     * @throws IllegalArgumentException if an item does not fit the model, such as a text longer than its context
     */
    List<EvaluationResult> evaluate(EvaluatedModel model);
}
