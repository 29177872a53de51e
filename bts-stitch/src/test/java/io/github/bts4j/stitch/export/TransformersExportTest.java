package io.github.bts4j.stitch.export;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.golden.GreedyTokens;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import io.github.bts4j.stitch.Init;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.stitch.StitchedModelBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Exported models: their files, and that transformers computes from them what this library does (export/golden.json, by src-test-data/tools/export_golden.py). */
class TransformersExportTest {
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"));
    /** Beyond the loss of order in sums of float32. */
    private static final float TOLERANCE = 1e-4f;

    /** What the golden logits were computed in, whatever the files hold. */
    private static final LoadOptions FLOAT32 = LoadOptions.defaults().withPrecision(Precision.FLOAT32);

    @TempDir
    private Path folder;

    /** A model by the name of its case in export/golden.json. */
    private static StitchedModel open(String name) throws IOException {
        return switch (name) {
            case "adapters" -> disturbed(StitchedModel.builder().options(FLOAT32).hub(DATA.resolve("adapters/base")).expert("lora", DATA.resolve("adapters/lora"))
                    .expert("dora", DATA.resolve("adapters/dora")).config(StitchConfig.evenly(2, 2)).open());
            case "biased" -> disturbed(members("bts-3x4").config(StitchConfig.evenly(4, 2).withAlternating(false).withInit(Init.HUB)).open());
            default -> {
                JsonNode about = JsonReader.STRICT.object(root(name).resolve("golden.json"), ModelFormatException::new);
                List<Integer> places = new ArrayList<>();
                about.get("places").forEach(place -> places.add(place.asInt()));
                StitchedModel model = members(name).config(StitchConfig.at(places)).open();
                try (NDManager scope = Torch.manager().newSubManager()) {
                    model.setStitchTensors(TensorFiles.read(scope, root(name).resolve("stitch.safetensors")));
                }
                yield model;
            }
        };
    }

    /** The folder of a case by the formulas, of Llama or of another family. */
    private static Path root(String name) {
        return DATA.resolve(name.startsWith("bts") ? "golden" : "families").resolve(name);
    }

    private static StitchedModelBuilder members(String name) throws IOException {
        Path root = root(name);
        JsonNode about = JsonReader.STRICT.object(root.resolve("golden.json"), ModelFormatException::new);
        if (about.has("hub")) {
            return StitchedModel.builder().options(FLOAT32).hub(root.resolveSibling(about.get("hub").asText())).expert("expert", root.resolve("expert"));
        }
        StitchedModelBuilder builder = StitchedModel.builder().options(FLOAT32).hub(root.resolve("hub"));
        for (JsonNode member : about.get("models")) {
            if (!member.asText().equals("hub")) {
                builder.expert(member.asText(), root.resolve(member.asText()));
            }
        }
        return builder;
    }

    /** Random stitches, the same each time. */
    private static StitchedModel disturbed(StitchedModel model) {
        Random random = new Random(5);
        try (NDManager scope = Torch.manager().newSubManager()) {
            Map<String, NDArray> values = new TreeMap<>();
            new TreeMap<>(model.stitchTensors()).forEach((name, tensor) -> {
                float[] floats = tensor.toFloatArray();
                for (int i = 0; i < floats.length; i++) {
                    floats[i] += 0.1f * (float) random.nextGaussian();
                }
                values.put(name, Tensors.of(scope, floats, tensor.getShape().getShape()));
            });
            model.setStitchTensors(values);
        }
        return model;
    }

    private static Path target(Path folder, String name) throws IOException {
        String kept = System.getProperty("bts4j.export");
        return Files.createDirectories((kept == null ? folder : Path.of(kept)).resolve(name));
    }

    @ParameterizedTest
    @ValueSource(strings = {"bts-3x4", "bts-4x8", "adapters", "biased", "qwen3-headdim-stitched"})
    void transformersComputesTheSame(String name) throws IOException {
        Path out = target(folder, name);
        try (StitchedModel model = open(name)) {
            TransformersExport.write(model, out);
            checkFiles(model, out);
            JsonNode golden = JsonReader.STRICT.object(DATA.resolve("export/golden.json"), ModelFormatException::new).get("cases").get(name);
            compareLogits(model, ints(golden.get("input_ids")), golden.get("logits"));
            int[] greedy = row(golden.get("greedy"));
            assertArrayEquals(greedy, GreedyTokens.after(model, Arrays.copyOf(greedy, 9), greedy.length));
        }
    }

    private static void compareLogits(StitchedModel model, int[][] ids, JsonNode expected) {
        try (NDManager scope = Torch.manager().newSubManager()) {
            int vocabulary = model.vocabSize();
            float[] logits = model.forward(TokenBatch.tensor(scope, ids, 0, ids[0].length, vocabulary)).toFloatArray();
            for (int row = 0; row < ids.length; row++) {
                for (int i = 0; i < vocabulary; i++) {
                    assertEquals(expected.get(row).get(i).floatValue(), logits[((row + 1) * ids[0].length - 1) * vocabulary + i], TOLERANCE, row + ", " + i);
                }
            }
        }
    }

    private static int[][] ints(JsonNode rows) {
        int[][] ints = new int[rows.size()][];
        for (int i = 0; i < ints.length; i++) {
            ints[i] = row(rows.get(i));
        }
        return ints;
    }

    private static int[] row(JsonNode list) {
        return IntStream.range(0, list.size()).map(i -> list.get(i).asInt()).toArray();
    }

    /** Every tensor is there, with the bytes of the model that it is from, and every file is bound by its hash. */
    private static void checkFiles(StitchedModel model, Path out) throws IOException {
        JsonNode config = JsonReader.STRICT.object(out.resolve("config.json"), ModelFormatException::new);
        assertEquals("modeling_bts.BtsForCausalLM", config.at("/auto_map/AutoModelForCausalLM").asText());
        assertTrue(Files.readString(out.resolve("modeling_bts.py")).contains("class BtsForCausalLM("));
        assertTrue(Files.readString(out.resolve("configuration_bts.py")).contains("class BtsConfig("));
        Map<String, String> hashes = new TreeMap<>();
        config.get("weights_sha256").properties().forEach(entry -> hashes.put(entry.getKey(), entry.getValue().asText()));
        Checkpoint checkpoint = Checkpoint.open(out); // index and shards agree
        assertEquals(hashes.keySet(), new TreeSet<>(checkpoint.files().stream().map(file -> file.getFileName().toString()).toList()));
        hashes.forEach((file, hash) -> assertEquals(ModelFingerprint.sha256(out.resolve(file)), hash, file));
        try (NDManager scope = Torch.manager().newSubManager()) {
            Map<String, NDArray> written = new TreeMap<>();
            for (Path file : checkpoint.files()) {
                written.putAll(TensorFiles.read(scope, file));
            }
            model.models().get(0).tensors().forEach((name, tensor) -> assertSame(tensor, written.remove(name.replaceFirst("^model\\.", "hub."))));
            for (int i = 1; i < model.models().size(); i++) {
                checkExpert(model, i, written);
            }
            model.stitchTensors().forEach((name, tensor) -> assertSame(tensor, written.remove(name)));
            assertEquals(Map.of(), written);
        }
        for (int i = 0; i < model.models().size(); i++) {
            assertEquals(model.members().get(i).name(), config.at("/base_models/" + i + "/name").asText());
            Map<String, String> files = new TreeMap<>();
            config.at("/base_models/" + i + "/files").properties().forEach(entry -> files.put(entry.getKey(), entry.getValue().asText()));
            assertEquals(model.models().get(i).fingerprint().files(), files);
        }
    }

    /** The final norm and the head of an expert are not used; an adapter's matrices are merged. */
    private static void checkExpert(StitchedModel model, int i, Map<String, NDArray> written) {
        model.models().get(i).tensors().forEach((name, tensor) -> {
            String exported = name.replaceFirst("^model\\.", "experts." + (i - 1) + ".");
            if (name.contains(".lora_") || name.startsWith("lm_head") || name.equals("model.norm.weight")) {
                assertFalse(written.containsKey(exported), exported);
            } else {
                NDArray there = written.remove(exported);
                assertEquals(tensor.getShape(), there.getShape(), exported);
                if (!model.models().get(i).isAdapted()) {
                    assertSame(tensor, there);
                }
            }
        });
        written.keySet().removeIf(name -> model.models().get(i).isAdapted() && name.startsWith("experts." + (i - 1) + "."));
    }

    private static void assertSame(NDArray expected, NDArray actual) {
        assertEquals(Tensors.sha256(expected), Tensors.sha256(actual));
    }

    @Test
    void familiesThatTheCodeDoesNotComputeAreRefused() throws IOException {
        try (StitchedModel model = open("gemma3-stretched-stitched")) {
            assertTrue(assertThrows(UnsupportedException.class, () -> TransformersExport.write(model, folder)).getMessage().contains("is of type gemma3_text, with settings that the exported code does not compute"));
        }
    }

    @Test
    void int8WeightsAreRefused() throws IOException {
        LoadOptions int8 = LoadOptions.defaults().withQuantization(Quantization.INT8);
        try (StitchedModel model = members("bts-3x4").config(StitchConfig.evenly(4, 2)).options(int8).open()) {
            assertTrue(assertThrows(IllegalStateException.class, () -> TransformersExport.write(model, folder)).getMessage().contains("holds its weights as int8, rounded, and cannot be exported"));
            try (Stream<Path> files = Files.list(folder)) {
                assertEquals(Optional.empty(), files.findAny());
            }
        }
    }
}
