package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The golden cases with all models on one GPU, and with the hub on the CPU and its experts on the GPU. Needs a GPU: {@code mvn verify -Dbts4j.groups=gpu -Dbts4j.excludedGroups=}. */
@Tag("gpu")
class StitchGpuTest {
    private static final Device GPU = Device.gpu(0);

    static Stream<Arguments> placements() {
        return GoldenCase.stitched().stream().flatMap(folder -> Stream.of(Arguments.of(folder, GPU), Arguments.of(folder, Device.cpu())));
    }

    private static StitchedModel open(GoldenCase golden, Device hub) throws IOException {
        List<Integer> afterLayers = new ArrayList<>();
        golden.about().get("places").forEach(place -> afterLayers.add(place.asInt()));
        StitchedModelBuilder builder = StitchedModel.builder().config(StitchConfig.at(afterLayers).withDropout(0)).options(LoadOptions.defaults().withDevice(hub));
        for (JsonNode name : golden.about().get("models")) {
            Path folder = golden.folder().resolve(name.asText());
            if (name.asText().equals("hub")) {
                builder.hub(folder);
            } else {
                builder.expert(name.asText(), folder, GPU);
            }
        }
        StitchedModel model = builder.open();
        model.setStitchTensors(TensorFiles.read(golden.manager(), golden.folder().resolve("stitch.safetensors")));
        return model;
    }

    @ParameterizedTest(name = "{0}, hub on {1}")
    @MethodSource("placements")
    void logitsGradientsAndDecoding(Path folder, Device hub) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); StitchedModel model = open(golden, hub)) {
            model.models().stream().skip(1).forEach(expert -> assertEquals(GPU, expert.device()));
            Tolerance tolerance = TinyModels.tolerance(model, golden.ids("input_ids")[0].length);
            tolerance.assertClose("logits", golden.floats("logits"), model.forward(golden.tensor("input_ids")).toFloatArray());
            int[][] tokens = golden.ids("input_ids");
            for (ActivationCheckpointing checkpointing : ActivationCheckpointing.values()) {
                Map<String, NDArray> tensors = model.stitchTensors();
                tensors.values().forEach(tensor -> tensor.setRequiresGradient(true));
                model.accumulateGradients(tokens, 1f / (tokens.length * (tokens[0].length - 1)), 0, PassOptions.DEFAULT.withCheckpointing(checkpointing));
                tensors.forEach((name, tensor) -> {
                    try (NDArray gradient = tensor.getGradient()) {
                        double error = GoldenCase.relativeError(golden.floats("grad." + name), gradient.toFloatArray());
                        assertTrue(error <= golden.tolerance("grad_relative"), checkpointing + " " + name + ": relative error " + error);
                        gradient.muli(0);
                    }
                });
            }
            int[] ids = tokens[0];
            float[] whole;
            try (DecodeSession session = model.newSession(ids.length)) {
                whole = session.append(ids);
            }
            try (DecodeSession session = model.newSession(ids.length)) {
                float[] stepwise = new float[0];
                for (int id : ids) {
                    stepwise = session.append(id);
                }
                tolerance.assertClose("stepwise", whole, stepwise);
            }
        }
    }
}
