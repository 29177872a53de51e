package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.train.optim.Gradients;
import java.util.ArrayList;
import java.util.List;

/** A step's gradients by lanes: each adds its passes from zero, and then the lanes are added in their order. */
final class LaneSum {
    private LaneSum() {}

    static List<float[]> run(Trainable model, List<Pass> passes, int lanes) {
        List<float[]> losses = new ArrayList<>();
        List<List<Pass>> parts = Pass.lanes(passes, lanes);
        if (lanes == 1) {
            passes.forEach(pass -> losses.add(pass.accumulate(model)));
            return losses;
        }
        try (NDManager scope = model.manager().newSubManager(); Gradients gradients = Gradients.of(model.parameters())) {
            List<NDArray> sums = List.of();
            for (List<Pass> lane : parts) {
                gradients.zero();
                lane.forEach(pass -> losses.add(pass.accumulate(model)));
                if (sums.isEmpty()) {
                    sums = gradients.copy(scope);
                } else {
                    gradients.addTo(sums);
                }
            }
            gradients.write(sums);
        }
        return losses;
    }
}
