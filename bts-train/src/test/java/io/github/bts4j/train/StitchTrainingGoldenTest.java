package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.stitch.StitchedModelBuilder;
import io.github.bts4j.train.optim.AdamW;
import io.github.bts4j.train.optim.AdamWConfig;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Ten steps of torch.optim.AdamW with clip_grad_norm_ and a linear schedule, on every stitched case in {@code -Dbts4j.golden}. */
class StitchTrainingGoldenTest {
    static List<Path> cases() {
        return GoldenCase.stitched();
    }

    static StitchedModel open(GoldenCase golden) throws IOException {
        List<Integer> places = new ArrayList<>();
        golden.about().get("places").forEach(place -> places.add(place.asInt()));
        StitchedModelBuilder builder = StitchedModel.builder().config(StitchConfig.at(places).withDropout(0));
        for (JsonNode name : golden.about().get("models")) {
            Path folder = golden.folder().resolve(name.asText());
            if (name.asText().equals("hub")) {
                builder.hub(folder);
            } else {
                builder.expert(name.asText(), folder);
            }
        }
        StitchedModel model = builder.open();
        model.setStitchTensors(TensorFiles.read(golden.manager(), golden.folder().resolve("stitch.safetensors")));
        return model;
    }

    @Test
    void thePeakRateMovesALogitByTwoFifths() {
        assertEquals(1e-4, StitchTraining.peakRate(4000));
        assertEquals(9.3e-5, StitchTraining.peakRate(4321));
        assertEquals(1.3e-3, StitchTraining.peakRate(300));
        assertEquals(2e-3, StitchTraining.peakRate(100), "at most");
    }

    /** By the golden states of the hub, which layers into the experts leave alone. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void thePeakRateFitsTheLargestOfTheGatesInputs(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); StitchedModel model = open(golden)) {
            List<int[]> windows = List.of(golden.ids("input_ids"));
            double least = 0;
            for (int j = 0; j < model.config().numStitches(); j++) {
                float[] states = golden.floats("stitched." + j + ".0");
                double norm = IntStream.range(0, states.length).mapToDouble(i -> Math.abs(states[i])).sum() / windows.stream().mapToInt(window -> window.length).sum();
                least = model.config().intoHub(j) ? least : Math.max(least, norm);
            }
            double rate = StitchTraining.peakRate(model, windows);
            assertTrue(rate <= Math.min(2e-3, 0.4 / least) * 1.05 && rate > 0, rate + " for norms of " + least + " and more");
        }
    }

    /** Of the model, the stitches being one stream more, after so many steps with the same error each. */
    private static Tolerance tolerance(StitchedModel model, int tokens, int steps) {
        return Tolerance.of(model.models().get(0).config(), tokens, Precision.FLOAT32).times((model.models().size() + 1) * (steps + 1));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void lossesNormsAndWeightsOverTenSteps(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); StitchedModel model = open(golden)) {
            JsonNode run = golden.about().get("train");
            int steps = run.get("steps").asInt();
            AdamWConfig adam = new AdamWConfig(run.get("betas").get(0).asDouble(), run.get("betas").get(1).asDouble(),
                    run.get("eps").asDouble(), run.get("weight_decay").asDouble());
            LearningRate schedule = new LearningRate.WarmupLinear(run.get("peak_lr").asDouble(), run.get("warmup").asInt(), steps, 0);
            float[] losses = golden.floats("train.losses");
            float[] norms = golden.floats("train.grad_norms");
            double rates = 0;
            try (AdamW optimizer = new AdamW(adam, model.getNDManager(), model.stitchTensors())) {
                for (int step = 0; step < steps; step++) {
                    int[][] tokens = golden.ids("train." + step);
                    float[] found = model.accumulateGradients(tokens, 1f / (tokens.length * (tokens[0].length - 1)), 0);
                    double mean = 0;
                    for (float loss : found) {
                        mean += loss / found.length;
                    }
                    Tolerance tolerance = tolerance(model, tokens[0].length, step);
                    assertEquals(losses[step], mean, tolerance.ofLosses(found), "loss of step " + step);
                    double norm = optimizer.gradientNorm();
                    assertEquals(norms[step], norm, tolerance.times(3).relative() * norms[step], "gradient norm of step " + step); // forward, and backward two products for each
                    optimizer.clip(norm, run.get("clip").asDouble());
                    optimizer.step(schedule.at(step));
                    rates += schedule.at(step);
                    model.weightsChanged();
                }
            }
            int compared = 0;
            for (Map.Entry<String, NDArray> tensor : model.stitchTensors().entrySet()) {
                float[] after = golden.floats("after." + tensor.getKey());
                double error = GoldenCase.relativeError(after, tensor.getValue().toFloatArray());
                double allowed = tolerance(model, golden.ids("train.0")[0].length, steps).times(3).afterSteps(rates, after);
                assertTrue(error <= allowed, tensor.getKey() + " after " + steps + " steps: relative error " + error + " above " + allowed);
                compared++;
            }
            assertEquals(model.config().numStitches() * (model.numExperts() + 1), compared);
        }
    }
}
