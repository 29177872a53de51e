package io.github.bts4j.train.eval;

import java.util.List;

/** A set of items that models are evaluated on. Immutable. */
public sealed interface EvaluationTask permits ChoiceTask, ClozeTask, ExactMatchTask, MethodTask {
    /**
     * The name in results.
     *
     * @return the name
     */
    String name();

    /**
     * The number of items.
     *
     * @return items
     */
    int size();

    /**
     * Identifies the items and the rules of scoring: results with the same identity can be compared item by item.
     *
     * @return SHA-256 in lower-case hexadecimal
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
