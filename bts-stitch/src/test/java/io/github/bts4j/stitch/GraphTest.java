package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.llama.Ropes;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Where autograd records: from the first stitch on, and nowhere before it. */
class GraphTest {
    private static final int[][] TOKENS = TinyModels.tokens(2, 2, 10, 160);
    private StitchedModel model;

    @BeforeEach
    void open() throws IOException {
        model = TinyModels.open("bts-3x4", StitchConfig.evenly(4, 2).withDropout(0), "hub", "code", "math");
        model.stitchTensors().values().forEach(tensor -> tensor.setRequiresGradient(true));
        model.weightsChanged();
    }

    @AfterEach
    void close() {
        model.close();
    }

    private List<NDArray> prefix(NDManager scope, Streams streams, Ropes ropes) {
        return StitchedModel.KERNELS.prefix(scope, Autograd.ON, TinyModels.ids(scope, TOKENS, 160), streams.weights(), ropes.tensors(), ropes.rows(), new long[] {2, 4});
    }

    @Test
    void nothingBeforeTheFirstStitchRecordsAGraphEvenWhereAutogradIsOn() {
        try (NDManager scope = model.getNDManager().newSubManager(); Streams streams = new Streams(model.models());
                Ropes ropes = streams.ropes(0, 10)) {
            List<NDArray> states = prefix(scope, streams, ropes);
            assertEquals(3, states.size());
            states.forEach(state -> assertFalse(Tensors.requiresGradient(state)));
        }
    }

    @Test
    void fromTheFirstStitchOnTheGraphIsRecordedIfTheCallAsksForIt() {
        try (NDManager scope = model.getNDManager().newSubManager(); Streams streams = new Streams(model.models());
                Ropes ropes = streams.ropes(0, 10); StitchWeights weights = trained()) {
            List<NDArray> states = prefix(scope, streams, ropes);
            for (Autograd mode : new Autograd[] {Autograd.ON, Autograd.OFF}) {
                StitchWeights.Arguments w = weights.training();
                NDArray hidden = StitchedModel.KERNELS.suffix(scope, mode, states, streams.weights(), ropes.tensors(), ropes.rows(), List.of(), new long[] {2, 4},
                        new long[] {0, 1}, w.gates().list(), w.biases().list(), w.projs().list(), 0, 0);
                assertEquals(mode == Autograd.ON, Tensors.requiresGradient(hidden));
                model.stitchTensors().values().forEach(tensor -> assertTrue(Tensors.requiresGradient(tensor)));
                assertFalse(model.<Boolean>held(now -> {
                    StitchWeights.Arguments frozen = now.weights();
                    NDArray evaluated = StitchedModel.KERNELS.suffix(scope, mode, states, streams.weights(), ropes.tensors(), ropes.rows(), List.of(), new long[] {2, 4},
                            new long[] {0, 1}, frozen.gates().list(), frozen.biases().list(), frozen.projs().list(), 0, 0);
                    return Tensors.requiresGradient(evaluated);
                }), "inference reads detached weights");
            }
        }
    }

    private StitchWeights trained() {
        StitchWeights weights = StitchWeights.initial(model.getNDManager(), model.config(), 2, model.hiddenSize());
        weights.tensors().values().forEach(tensor -> tensor.setRequiresGradient(true));
        return weights;
    }

    @Test
    void evaluationOfAModelInTrainingRecordsNothing() {
        try (NDManager scope = model.getNDManager().newSubManager()) {
            NDArray ids = TinyModels.ids(scope, TOKENS, 160);
            assertFalse(Tensors.requiresGradient(model.forward(ids)));
            for (GateTrace trace : model.gates(ids, 0, 1)) {
                assertFalse(Tensors.requiresGradient(trace.gate()));
                trace.states().forEach(state -> assertFalse(Tensors.requiresGradient(state)));
            }
            model.stitchTensors().values().forEach(tensor -> assertTrue(Tensors.requiresGradient(tensor)));
        }
    }
}
