package io.github.bts4j.train.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.GradientCollector;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.train.TinyRuns;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** AdamW against torch.optim.AdamW (src-test-data/tools/adamw_golden.py), and its configuration. */
class AdamWTest {
    /** Each step rounds a parameter and what is added to it a few times, here and in PyTorch, up and down: a random walk over a hundred steps. */
    private static final double TOLERANCE = 6 * Math.sqrt(100) * Tolerance.FLOAT32;

    private static final List<String> NAMES = List.of("matrix", "cube", "vector");

    private static Path resource(String name) throws URISyntaxException {
        return Path.of(AdamWTest.class.getResource(name).toURI());
    }

    private static Map<String, NDArray> parameters(NDManager scope, Map<String, NDArray> golden) {
        Map<String, NDArray> parameters = new LinkedHashMap<>();
        NAMES.forEach(name -> {
            NDArray start = golden.get("start." + name);
            parameters.put(name, Tensors.of(scope, Tensors.toFloats(start), start.getShape().getShape()));
        });
        return parameters;
    }

    /** Backward passes of sum(parameter * gradient), whose gradient is the given one. */
    private static void accumulate(Map<String, NDArray> parameters, Map<String, NDArray> golden, int step) {
        parameters.forEach((name, parameter) -> {
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector();
                    NDArray gradient = golden.get("grads." + name).get(step);
                    NDArray product = parameter.mul(gradient);
                    NDArray sum = product.sum()) {
                collector.backward(sum);
            }
        });
    }

    @Test
    void aHundredStepsAreThoseOfTorch() throws IOException, URISyntaxException {
        JsonNode about = new ObjectMapper().readTree(resource("adamw.json").toFile());
        AdamWConfig config = new AdamWConfig(about.get("betas").get(0).asDouble(), about.get("betas").get(1).asDouble(),
                about.get("eps").asDouble(), about.get("weight_decay").asDouble());
        try (NDManager scope = Torch.manager().newSubManager()) {
            Map<String, NDArray> golden = TensorFiles.read(scope, resource("adamw.safetensors"));
            Map<String, NDArray> parameters = parameters(scope, golden);
            try (AdamW optimizer = new AdamW(config, scope, parameters)) {
                int compared = 0;
                for (int step = 0; step < about.get("steps").asInt(); step++) {
                    accumulate(parameters, golden, step);
                    double norm = optimizer.gradientNorm();
                    assertEquals(about.get("norms").get(step).asDouble(), norm, TOLERANCE * norm, "norm of step " + step);
                    optimizer.clip(norm, about.get("clip").asDouble());
                    optimizer.step(about.get("rates").get(step).asDouble());
                    assertEquals(0, optimizer.gradientNorm(), "a step leaves no gradient");
                    for (String name : NAMES) {
                        if (golden.containsKey("after." + (step + 1) + "." + name)) {
                            assertNear(golden, "after." + (step + 1) + "." + name, parameters.get(name));
                            compared++;
                        }
                    }
                }
                assertEquals(5 * NAMES.size(), compared);
                for (String name : NAMES) {
                    assertNear(golden, "exp_avg." + name, optimizer.state().get("exp_avg." + name));
                    assertNear(golden, "exp_avg_sq." + name, optimizer.state().get("exp_avg_sq." + name));
                    assertEquals(100, optimizer.state().get("step." + name).toFloatArray()[0]);
                }
            }
        }
    }

    private static void assertNear(Map<String, NDArray> golden, String name, NDArray found) {
        double error = GoldenCase.relativeError(Tensors.toFloats(golden.get(name)), Tensors.toFloats(found));
        assertTrue(error <= TOLERANCE, name + ": relative error " + error);
    }

    private static Map<String, NDArray> variantParameters(NDManager scope, Map<String, NDArray> golden, JsonNode about) {
        Map<String, NDArray> parameters = new LinkedHashMap<>();
        about.get("names").forEach(name -> {
            NDArray start = golden.get("start." + name.asText());
            parameters.put(name.asText(), Tensors.of(scope, Tensors.toFloats(start), start.getShape().getShape()));
        });
        return parameters;
    }

    private static AdamWConfig variantConfig(JsonNode about) {
        return new AdamWConfig(about.get("betas").get(0).asDouble(), about.get("betas").get(1).asDouble(), about.get("eps").asDouble(),
                about.get("weight_decay").asDouble());
    }

    private static int variantSteps(AdamW optimizer, Map<String, NDArray> parameters, Map<String, NDArray> golden, JsonNode about, String variant) {
        int compared = 0;
        for (int step = 0; step < about.get("steps").asInt(); step++) {
            accumulate(parameters, golden, step);
            optimizer.step(about.get("rate").asDouble());
            for (String name : parameters.keySet()) {
                String at = variant + "." + (step + 1) + "." + name;
                if (golden.containsKey(at)) {
                    double error = GoldenCase.relativeError(Tensors.toFloats(golden.get(at)), Tensors.toFloats(parameters.get(name)));
                    assertTrue(error <= TOLERANCE, at + ": relative error " + error); // StableAdamW's are computed in double
                    compared++;
                }
            }
        }
        return compared;
    }

    @Test
    void groupsHaveConstantsOfTheirOwnAsInTorch() throws IOException, URISyntaxException {
        JsonNode about = new ObjectMapper().readTree(resource("adamw_variants.json").toFile());
        List<ParameterGroup> groups = List.of(new ParameterGroup("ga.*", new AdamWConfig(0.8, 0.9, 1e-3, 0.5), 3),
                new ParameterGroup("norm|gate", new AdamWConfig(0.7, 0.99, 1e-6, 0.25), 0.5));
        try (NDManager scope = Torch.manager().newSubManager()) {
            Map<String, NDArray> golden = TensorFiles.read(scope, resource("adamw_variants.safetensors"));
            Map<String, NDArray> parameters = variantParameters(scope, golden, about);
            try (AdamW optimizer = new AdamW(variantConfig(about), groups, scope, parameters)) {
                assertEquals(21, variantSteps(optimizer, parameters, golden, about, "groups"));
                assertEquals(0, optimizer.resetMoments("nothing"));
                assertEquals(1, optimizer.resetMoments("ga.*"));
                optimizer.state().forEach((name, tensor) -> assertEquals(name.endsWith(".gate"), tensor.abs().sum().getFloat() == 0, name));
                assertEquals(3, optimizer.resetMoments(".*"));
                optimizer.state().values().forEach(tensor -> assertEquals(0, tensor.abs().sum().getFloat()));
            }
            String message = assertThrows(IllegalArgumentException.class,
                    () -> new AdamW(variantConfig(about), List.of(groups.get(0), new ParameterGroup("gate", AdamWConfig.STITCH, 1)), scope, parameters)).getMessage();
            assertEquals("Parameter group 'gate' matches no tensor that an earlier group does not; the names are [gate, norm, proj]", message);
        }
    }

    @Test
    void updateClippingIsThatOfStableAdamW() throws IOException, URISyntaxException {
        JsonNode about = new ObjectMapper().readTree(resource("adamw_variants.json").toFile());
        try (NDManager scope = Torch.manager().newSubManager()) {
            Map<String, NDArray> golden = TensorFiles.read(scope, resource("adamw_variants.safetensors"));
            Map<String, NDArray> parameters = variantParameters(scope, golden, about);
            List<ParameterGroup> vectorsToo = List.of(new ParameterGroup(".*", variantConfig(about).withUpdateClipping(), 1)); // there, vectors decay
            try (AdamW optimizer = new AdamW(variantConfig(about), vectorsToo, scope, parameters)) {
                assertEquals(21, variantSteps(optimizer, parameters, golden, about, "stable"));
            }
        }
    }

    @Test
    void clippingByTensorLeavesTheNormsOfAdaGcAndIsRestored() throws IOException, URISyntaxException {
        JsonNode about = new ObjectMapper().readTree(resource("adamw_variants.json").toFile());
        try (NDManager scope = Torch.manager().newSubManager()) {
            Map<String, NDArray> golden = TensorFiles.read(scope, resource("adamw_variants.safetensors"));
            Map<String, NDArray> parameters = variantParameters(scope, golden, about);
            AdamW optimizer = new AdamW(variantConfig(about), scope, parameters);
            NDArray shared = optimizer.prepareClipping().reshape(-1, 1);
            int clipped = 0;
            for (int step = 0; step < about.get("steps").asInt(); step++) {
                accumulate(parameters, golden, step);
                if (step < TensorClipping.ADAGC.warmup()) {
                    optimizer.clip(optimizer.gradientNorm(), about.get("clip").asDouble());
                }
                optimizer.clipEach(TensorClipping.ADAGC, step);
                int at = 0;
                for (NDArray parameter : parameters.values()) {
                    double expected = about.get("clipped").get(step).get(at++).asDouble();
                    try (NDArray gradient = parameter.getGradient()) {
                        assertEquals(expected, gradient.norm().getFloat(), 2e-6 * expected, "step " + step);
                    }
                }
                optimizer.step(0);
                if (step == 120) { // another optimizer goes on with the saved state
                    assertArrayEquals(optimizer.prepareClipping().toFloatArray(), shared.toFloatArray(), "references are written in place");
                    AdamW next = new AdamW(variantConfig(about), scope, parameters);
                    next.prepareClipping();
                    next.restore(optimizer.state());
                    optimizer = next;
                }
                clipped += step >= 100 ? 1 : 0;
            }
            assertEquals(50, clipped);
            optimizer.close();
        }
    }

    @Test
    void aTensorThatHadNoGradientIsNotClippedForever() {
        TensorClipping clipping = new TensorClipping(1.05, 0.98, 2);
        assertEquals(0, clipping.next(1, clipping.next(0, Double.POSITIVE_INFINITY, 0), 3));
        assertEquals(1, clipping.scale(7, 0));
        assertEquals(7, clipping.next(2, 0, 7));
        assertEquals(1.05 * 7 / 14, clipping.scale(14, 7), 1e-12);
        assertThrows(IllegalArgumentException.class, () -> new TensorClipping(0.9, 0.98, 2));
    }

    @Test
    void aRestoredStateGoesOnToTheBit() throws IOException, URISyntaxException {
        try (NDManager scope = Torch.manager().newSubManager()) {
            Map<String, NDArray> golden = TensorFiles.read(scope, resource("adamw.safetensors"));
            Map<String, NDArray> first = parameters(scope, golden);
            Map<String, NDArray> second = new LinkedHashMap<>();
            try (AdamW optimizer = new AdamW(AdamWConfig.STITCH, scope, first)) {
                steps(optimizer, first, golden, 0, 10);
                first.forEach((name, tensor) -> second.put(name, Tensors.of(scope, tensor.toFloatArray(), tensor.getShape().getShape())));
                try (AdamW restored = new AdamW(AdamWConfig.STITCH, scope, second)) {
                    restored.restore(optimizer.state());
                    steps(restored, second, golden, 10, 20);
                    steps(optimizer, first, golden, 10, 20);
                    assertEquals(TinyRuns.hashes(first), TinyRuns.hashes(second));
                    assertEquals(TinyRuns.hashes(optimizer.state()), TinyRuns.hashes(restored.state()));
                }
            }
        }
    }

    private static void steps(AdamW optimizer, Map<String, NDArray> parameters, Map<String, NDArray> golden, int from, int to) {
        for (int step = from; step < to; step++) {
            accumulate(parameters, golden, step);
            optimizer.step(0.01);
        }
    }

    @Test
    void aStateThatDoesNotFitIsRefusedAndNothingIsCopied() throws IOException, URISyntaxException {
        try (NDManager scope = Torch.manager().newSubManager()) {
            Map<String, NDArray> golden = TensorFiles.read(scope, resource("adamw.safetensors"));
            Map<String, NDArray> parameters = parameters(scope, golden);
            try (AdamW optimizer = new AdamW(AdamWConfig.STITCH, scope, parameters)) {
                steps(optimizer, parameters, golden, 0, 1);
                Map<String, String> before = TinyRuns.hashes(optimizer.state());
                Map<String, NDArray> wrong = new LinkedHashMap<>();
                optimizer.state().forEach((name, tensor) -> wrong.put(name, scope.zeros(tensor.getShape())));
                wrong.remove("exp_avg.cube");
                wrong.put("exp_avg.vector", scope.create(new float[] {1}));
                wrong.put("exp_avg.other", scope.create(new float[] {1}));
                String message = assertThrows(IllegalArgumentException.class, () -> optimizer.restore(wrong)).getMessage();
                for (String part : List.of("missing: exp_avg.cube", "exp_avg.vector has shape (1), this run needs (7)", "extra: exp_avg.other")) {
                    assertTrue(message.contains(part), message);
                }
                assertEquals(before, TinyRuns.hashes(optimizer.state()));
            }
        }
    }

    @Test
    void valuesOutsideTheirRangesAreAllNamed() {
        String message = assertThrows(IllegalArgumentException.class, () -> new AdamWConfig(1, -0.1, 0, Double.NaN)).getMessage();
        for (String part : List.of("beta1 = 1.0", "beta2 = -0.1", "eps = 0.0", "weightDecay = NaN")) {
            assertTrue(message.contains(part), message);
        }
    }
}
