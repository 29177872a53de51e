package io.github.bts4j.examples.experiment;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import java.util.List;
import java.util.Map;

/** How adapters of the seed are made, one for each expert, of all linear modules. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({@JsonSubTypes.Type(value = AdapterSpec.Trained.class, name = "trained"), @JsonSubTypes.Type(value = AdapterSpec.Extracted.class, name = "extracted")})
sealed interface AdapterSpec {
    /** Rank of the matrices. */
    int rank();

    /**
     * Trained as the expert is: on the same text in the same order, in as many steps.
     *
     * @param rank rank of the matrices
     * @param alpha numerator of the scale
     * @param learningRate the peak, in place of the expert's
     */
    record Trained(int rank, double alpha, double learningRate) implements AdapterSpec {}

    /**
     * Extracted from the expert by singular value decomposition.
     *
     * @param rank rank of the matrices
     * @param keepWhole whether norms, embeddings and head that the expert changed are kept as they are
     */
    record Extracted(int rank, boolean keepWhole) implements AdapterSpec {}

    /** Counts an adapter's own parameters, with experts that keep the seed's embeddings or do not. */
    default long parameters(LlamaConfig config, boolean expertsKeepEmbeddings) {
        long sum = 0;
        for (Map.Entry<String, List<Long>> tensor : LlamaTensors.shapes(config).entrySet()) {
            List<Long> shape = tensor.getValue();
            boolean inLayers = tensor.getKey().startsWith("model.layers.");
            if (inLayers && shape.size() == 2) {
                sum += Math.min(rank(), Math.min(shape.get(0), shape.get(1))) * (shape.get(0) + shape.get(1));
            } else if (this instanceof Extracted extracted && extracted.keepWhole() && (inLayers || !expertsKeepEmbeddings)) {
                sum += shape.stream().reduce(1L, (a, b) -> a * b);
            }
        }
        return sum;
    }
}
