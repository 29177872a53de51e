package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.TranslatorContext;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.djl.LocalModelZoo;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Criteria, ZooModel, Predictor and Translator of DJL give what the library's own generator gives. */
class DjlZooTest {
    private static final List<String> PROMPTS = List.of("the house", "public static void", "Y dijo Dios");
    private static final GenerationConfig SAMPLED = GenerationConfig.greedy(12).withTemperature(0.8).withTopK(50).withTopP(0.9).withSeed(5);

    @TempDir
    private Path folder;
    private Path hub;

    @BeforeEach
    void models() throws Exception {
        TinyRuns.textModels(folder, "hub", "code");
        hub = folder.resolve("hub");
    }

    private static Criteria.Builder<String, String> criteria(LocalModelZoo zoo) {
        return Criteria.builder().setTypes(String.class, String.class).optModelZoo(zoo).optArgument("max_new_tokens", "12")
                .optArgument("temperature", 0.8).optArgument("top_k", 50).optArgument("top_p", 0.9).optArgument("seed", 5);
    }

    private List<String> expected(CausalLm model) {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(hub)) {
            return PROMPTS.stream().map(prompt -> new Generator(model, tokenizer).generate(prompt, SAMPLED).text()).toList();
        }
    }

    private static void assertPredicts(List<String> expected, LocalModelZoo zoo) throws Exception {
        int before = Torch.manager().getManagedArrays().size();
        try (ZooModel<String, String> model = criteria(zoo).build().loadModel(); Predictor<String, String> predictor = model.newPredictor()) {
            for (int i = 0; i < PROMPTS.size(); i++) {
                assertEquals(expected.get(i), predictor.predict(PROMPTS.get(i)));
            }
            assertEquals(expected, predictor.batchPredict(PROMPTS));
        }
        assertEquals(before, Torch.manager().getManagedArrays().size());
    }

    @Test
    void criteriaLoadALlamaThatGenerates() throws Exception {
        List<String> expected;
        try (LlamaModel model = LlamaModel.open(hub)) {
            expected = expected(model);
        }
        assertEquals(3, expected.stream().distinct().count());
        assertPredicts(expected, LocalModelZoo.of(hub));
    }

    @Test
    void criteriaLoadAStitchedModelThatGenerates() throws Exception {
        Path stitches = folder.resolve("stitches");
        List<String> expected;
        try (StitchedModel model = TinyRuns.stitched(folder, 0, "hub", "code")) {
            StitchCheckpoint.save(model, stitches);
            expected = expected(model);
        }
        assertPredicts(expected, LocalModelZoo.of(stitches));
    }

    /** How many tokens a prompt has, by way of the logits' shape. */
    private static final class Length implements NoBatchifyTranslator<Integer, Long> {
        @Override
        public NDList processInput(TranslatorContext context, Integer tokens) {
            return new NDList(context.getNDManager().create(new long[1][tokens]));
        }

        @Override
        public Long processOutput(TranslatorContext context, NDList logits) {
            return logits.singletonOrThrow().getShape().get(1);
        }
    }

    @Test
    void anotherTranslatorGetsTheLogits() throws Exception {
        Criteria<Integer, Long> criteria = Criteria.builder().setTypes(Integer.class, Long.class).optModelZoo(LocalModelZoo.of(hub))
                .optTranslator(new Length()).build();
        try (ZooModel<Integer, Long> model = criteria.loadModel(); Predictor<Integer, Long> predictor = model.newPredictor()) {
            assertEquals(7, predictor.predict(7));
        }
    }

    @Test
    void whatDoesNotFitIsRefusedByName() {
        LocalModelZoo zoo = LocalModelZoo.of(hub);
        assertRefused("java.lang.Integer", Criteria.builder().setTypes(Integer.class, String.class).optModelZoo(zoo).build());
        assertRefused("top_k = many", criteria(zoo).optArgument("top_k", "many").build());
        assertRefused("topP = 1.5", criteria(zoo).optArgument("top_p", 1.5).build());
        assertRefused("top_q", criteria(zoo).optArgument("top_q", 1.5).build());
    }

    private static void assertRefused(String part, Criteria<?, ?> criteria) {
        String message = assertThrows(IllegalArgumentException.class, criteria::loadModel).getMessage();
        assertTrue(message.contains(part), message);
    }
}
