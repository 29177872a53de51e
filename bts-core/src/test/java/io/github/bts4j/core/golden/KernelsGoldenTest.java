package io.github.bts4j.core.golden;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.KernelChoices;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The decoder against Hugging Face transformers, whichever kernels were measured to be faster. */
@SuppressWarnings("try") // bindings are only held
class KernelsGoldenTest {
    private static final Path FOLDER = Path.of(System.getProperty("bts4j.golden"), "llama2-gqa");

    @ParameterizedTest
    @ValueSource(strings = {"", "forward.float32=default", "attention.float32=fused", "forward.float32=default, attention.float32=fused, training.float32=default"})
    void logitsAreTheSame(String choices) throws IOException {
        try (KernelChoices.Binding bound = KernelChoices.parse(choices).bind(); GoldenCase golden = new GoldenCase(FOLDER);
                LlamaModel model = LlamaModel.open(FOLDER, LoadOptions.defaults().withPrecision(Precision.FLOAT32))) {
            Tolerance tolerance = Tolerance.of(model.config(), (int) golden.tensor("input_ids").getShape().get(1), Precision.FLOAT32);
            tolerance.assertClose("logits", golden.floats("logits"), model.forward(golden.tensor("input_ids")).toFloatArray());
            int[] expected = golden.ids("greedy_ids")[0];
            assertArrayEquals(expected, GreedyTokens.after(model, Arrays.copyOf(expected, 9), expected.length));
        }
    }

    /** A prompt in two parts: the second one's queries see more keys than there are queries. */
    @ParameterizedTest
    @ValueSource(strings = {"attention.float32=fused", "attention.float32=blocks"})
    void aPromptInPartsIsThePrompt(String choices) throws IOException {
        try (KernelChoices.Binding bound = KernelChoices.parse(choices).bind(); GoldenCase golden = new GoldenCase(FOLDER);
                LlamaModel model = LlamaModel.open(FOLDER, LoadOptions.defaults().withPrecision(Precision.FLOAT32))) {
            int[] ids = golden.ids("input_ids")[0];
            float[] logits = golden.floats("logits");
            try (DecodeSession session = model.newSession(ids.length)) {
                session.append(Arrays.copyOf(ids, ids.length / 2));
                float[] last = session.append(Arrays.copyOfRange(ids, ids.length / 2, ids.length));
                float[] expected = Arrays.copyOfRange(logits, (ids.length - 1) * last.length, ids.length * last.length);
                Tolerance.of(model.config(), ids.length, Precision.FLOAT32).assertClose("last", expected, last);
            }
        }
    }
}
