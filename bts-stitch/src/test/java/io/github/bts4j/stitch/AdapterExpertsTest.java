package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.MismatchException;
import io.github.bts4j.core.adapter.AdapterFolders;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.rows.RowDecoder;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.llama.AdaptedLlama;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Adapters as experts beside a full one, against the same model with the adapters merged first. */
class AdapterExpertsTest {
    private static final StitchConfig CONFIG = StitchConfig.evenly(2, 2);
    private static final int[][] TOKENS = TinyModels.tokens(8, 2, 18, 96);
    private static final Path BASE = AdapterFolders.ROOT.resolve("base");
    private static final List<String> ADAPTERS = List.of("lora", "dora", "saved");

    @TempDir
    private static Path merged;
    @TempDir
    private Path folder;

    @BeforeAll
    static void merge() throws IOException {
        for (String name : List.of("lora", "dora", "saved", "patterns")) {
            try (LlamaModel model = AdaptedLlama.merged(BASE, AdapterFolders.ROOT.resolve(name), LoadOptions.defaults())) {
                model.save(merged.resolve(name));
            }
        }
    }

    /** Three adapters and a full expert, from the adapters' folders or from those of merged models. */
    private static StitchedModel open(Path adapters) throws IOException {
        StitchedModelBuilder builder = StitchedModel.builder().config(CONFIG).hub(BASE);
        ADAPTERS.forEach(name -> builder.expert(name, adapters.resolve(name)));
        return TinyModels.disturbed(builder.expert("full", merged.resolve("patterns")).open(), 3);
    }

    private static void assertSame(FrozenLm expected, FrozenLm actual) {
        GoldenCase.assertClose("logits", TinyModels.logits(expected, TOKENS), TinyModels.logits(actual, TOKENS), 1e-4);
        assertArrayEquals(TinyModels.generate(expected, TOKENS[0], 12), TinyModels.generate(actual, TOKENS[0], 12));
    }

    @Test
    void logitsAndGreedyTokensAreThoseOfMergedModels() throws IOException {
        try (StitchedModel first = open(merged); StitchedModel adapted = open(AdapterFolders.ROOT)) {
            assertSame(first, adapted);
            try (FrozenLm some = first.without(Set.of("dora", "full")); FrozenLm same = adapted.without(Set.of("dora", "full"))) {
                assertSame(some, same);
            }
        }
    }

    /** Several sessions in step, of different lengths. */
    @Test
    void sessionsInStep() throws IOException {
        for (int sessions : new int[] {2, 3, 5, 8}) {
            try (StitchedModel first = open(merged); StitchedModel adapted = open(AdapterFolders.ROOT)) {
                float[][] expected = inStep(first, sessions);
                float[][] actual = inStep(adapted, sessions);
                for (int s = 0; s < sessions; s++) {
                    GoldenCase.assertClose(sessions + " sessions, the one of number " + s, expected[s], actual[s], 1e-4);
                }
            }
        }
    }

    private static float[][] inStep(FrozenLm model, int sessions) {
        List<DecodeSession> open = new ArrayList<>();
        for (int s = 0; s < sessions; s++) {
            open.add(model.newSession(20));
            open.get(s).append(Arrays.copyOf(TOKENS[s % 2], 1 + s));
        }
        model.appendEach(open, Arrays.copyOf(TOKENS[0], sessions));
        float[][] logits = model.appendEach(open, Arrays.copyOf(TOKENS[1], sessions));
        open.forEach(DecodeSession::close);
        return logits;
    }

    /** In bfloat16, where merged matrices are rounded and low-rank ones are not: closer to each other than to the hub by far. */
    @Test
    void inBfloat16() throws IOException {
        LoadOptions options = LoadOptions.defaults().withPrecision(Precision.BFLOAT16);
        float[][] logits = new float[3][];
        for (int i = 0; i < 3; i++) {
            StitchedModelBuilder builder = StitchedModel.builder().config(CONFIG).hub(BASE).options(options);
            Path adapters = i == 0 ? merged : AdapterFolders.ROOT;
            builder.expert("a", i == 2 ? BASE : adapters.resolve("lora")).expert("b", i == 2 ? BASE : adapters.resolve("dora"));
            try (StitchedModel model = builder.open(); DecodeSession session = model.newSession(20)) {
                session.append(Arrays.copyOf(TOKENS[0], 10));
                logits[i] = session.append(TOKENS[0][10]);
            }
        }
        double error = GoldenCase.relativeError(logits[0], logits[1]);
        assertTrue(error < 0.03 && error < 0.1 * GoldenCase.relativeError(logits[0], logits[2]), error + ", without adapters " + GoldenCase.relativeError(logits[0], logits[2]));
    }

    /** The hub and its adapters go together; the full expert goes alone, and so does an adapter with norms or biases of its own. */
    @Test
    void adaptersOfTheHubShareItsLayers() throws IOException {
        try (StitchedModel model = open(AdapterFolders.ROOT); JointWeights joint = new JointWeights(model.models())) {
            assertArrayEquals(new long[] {0, 1, 2, 3}, joint.together());
            Optional<RowDecoder> hub = model.models().get(0).decoder().rows(); // in bts-vector alone
            for (int i = 1; hub.isPresent() && i <= 4; i++) {
                assertEquals(i < 4, model.models().get(i).decoder().rows().orElseThrow().isOver(hub.get()), "rows of model " + i);
            }
            model.addExpert("norms", AdapterFolders.ROOT.resolve("norms"));
            model.addExpert("biased", AdapterFolders.ROOT.resolve("lorabias"));
            try (JointWeights more = new JointWeights(model.models())) {
                assertArrayEquals(new long[] {0, 1, 2, 3}, more.together());
            }
        }
    }

    @Test
    void stitchGradientsAreThoseOfMergedModels() throws IOException {
        try (StitchedModel first = open(merged); StitchedModel adapted = open(AdapterFolders.ROOT)) {
            Map<String, float[]> expected = gradients(first);
            gradients(adapted).forEach((name, gradient) -> assertTrue(GoldenCase.relativeError(expected.get(name), gradient) < 1e-4, name));
        }
    }

    private static Map<String, float[]> gradients(StitchedModel model) {
        model.stitchTensors().values().forEach(tensor -> tensor.setRequiresGradient(true));
        model.accumulateGradients(TOKENS, 0.1f, 1);
        Map<String, float[]> gradients = new LinkedHashMap<>();
        model.stitchTensors().forEach((name, tensor) -> {
            try (NDArray gradient = tensor.getGradient()) {
                gradients.put(name, Tensors.toFloats(gradient));
            }
        });
        return gradients;
    }

    @Test
    void comeAndGo() throws IOException {
        try (StitchedModel first = open(merged); StitchedModel adapted = open(AdapterFolders.ROOT)) {
            for (String gone : List.of("lora", "full")) {
                first.removeExpert(gone);
                adapted.removeExpert(gone);
                assertSame(first, adapted);
            }
            first.addExpert("lora", merged.resolve("lora"));
            adapted.addExpert("lora", AdapterFolders.ROOT.resolve("lora"));
            assertSame(first, adapted);
        }
    }

    @Test
    void checkpointsBindBaseAndAdapter() throws IOException {
        TinyModels.copyFolder(BASE, folder.resolve("base"));
        TinyModels.copyFolder(AdapterFolders.ROOT.resolve("lora"), folder.resolve("lora"));
        Path saved = folder.resolve("stitch");
        float[] logits;
        try (StitchedModel model = StitchedModel.builder().config(CONFIG).hub(folder.resolve("base")).expert("law", folder.resolve("lora")).open()) {
            TinyModels.disturbed(model, 4);
            logits = TinyModels.logits(model, TOKENS);
            StitchCheckpoint.save(model, saved);
        }
        Set<String> bound = StitchCheckpoint.describe(saved).models().get(1).files().keySet();
        assertEquals(Set.of("adapter_config.json", "adapter_model.safetensors", "base/config.json", "base/model.safetensors"), bound);
        try (StitchedModel again = StitchCheckpoint.open(saved, LoadOptions.defaults())) {
            assertArrayEquals(logits, TinyModels.logits(again, TOKENS));
        }
        Files.move(folder.resolve("lora"), folder.resolve("moved"));
        try (StitchedModel again = StitchCheckpoint.open(saved, Map.of("law", folder.resolve("moved")), LoadOptions.defaults())) {
            assertArrayEquals(logits, TinyModels.logits(again, TOKENS));
        }
        TinyModels.flipByte(folder.resolve("moved/adapter_model.safetensors"));
        String message = assertThrows(MismatchException.class, () -> StitchCheckpoint.open(saved, Map.of("law", folder.resolve("moved")), LoadOptions.defaults())).getMessage();
        assertTrue(message.contains("model 'law'") && message.contains("adapter_model.safetensors: recorded"), message);
    }

    @Test
    void anAdapterIsNoHubAndNeedsItsOwnBase() {
        Path lora = AdapterFolders.ROOT.resolve("lora");
        assertTrue(assertThrows(IllegalArgumentException.class, () -> StitchedModel.builder().config(CONFIG).hub(lora).expert("law", BASE).open()).getMessage()
                .contains("the hub 'hub' in " + lora + " is an adapter: give its base as the hub"));
        assertThrows(ModelFormatException.class, () -> StitchedModel.builder().config(StitchConfig.evenly(3, 1)).hub(TinyModels.golden("llama2-gqa")).expert("law", lora).open());
    }
}
