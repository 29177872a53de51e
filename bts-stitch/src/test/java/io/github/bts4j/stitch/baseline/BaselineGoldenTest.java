package io.github.bts4j.stitch.baseline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Soup and BTM against values computed by transformers and PyTorch (src-test-data/tools/baseline_golden.py). */
class BaselineGoldenTest {
    private final NDManager manager = Torch.manager().newSubManager();
    private final List<LlamaModel> models = new ArrayList<>();
    private Map<String, NDArray> golden;

    private Tolerance tolerance;

    @BeforeEach
    void open(@TempDir Path copies) throws IOException {
        Path folder = Path.of(System.getProperty("bts4j.testData")).resolve("golden/bts-3x4");
        for (String name : List.of("hub", "code", "math")) {
            models.add(LlamaModel.open(folder.resolve(name)));
        }
        Path file = copies.resolve("baseline.safetensors"); // bts-vector has it in a jar
        try (InputStream in = BaselineGoldenTest.class.getResourceAsStream("baseline.safetensors")) {
            Files.copy(in, file);
        }
        golden = TensorFiles.read(manager, file);
        tolerance = Tolerance.of(models.get(0).config(), (int) golden.get("input_ids").getShape().get(1), Precision.FLOAT32);
    }

    @AfterEach
    void close() {
        models.forEach(LlamaModel::close);
        manager.close();
    }

    private int[][] ids() {
        long[] flat = golden.get("input_ids").toLongArray();
        int width = (int) golden.get("input_ids").getShape().get(1);
        int[][] rows = new int[flat.length / width][width];
        for (int i = 0; i < flat.length; i++) {
            rows[i / width][i % width] = (int) flat[i];
        }
        return rows;
    }

    @Test
    void theSoupIsTheModelOfTheAverageWeights() {
        try (LlamaModel soup = ModelSoup.average(models)) {
            tolerance.assertClose("soup", golden.get("soup.logits").toFloatArray(), soup.forward(golden.get("input_ids")).toFloatArray());
        }
    }

    /** All of the models, or the k likeliest; forward pass, losses and cached decoding against one golden tensor. */
    @ParameterizedTest
    @CsvSource({"3, btm.logprobs", "2, btm.top2", "1, btm.top1"})
    void theEnsembleWeighsModelsByThePrefix(int k, String name) {
        float[] expected = golden.get(name).toFloatArray();
        int[][] ids = ids();
        try (BtmEnsemble all = new BtmEnsemble(models); BtmEnsemble btm = all.withTopK(k)) {
            assertEquals(k, btm.topK());
            tolerance.assertClose(name, expected, btm.forward(golden.get("input_ids")).toFloatArray());
            float[][] losses = btm.tokenLosses(ids);
            int vocab = btm.vocabSize();
            for (int row = 0; row < ids.length; row++) {
                for (int t = 0; t + 1 < ids[row].length; t++) {
                    assertEquals(-expected[(row * ids[row].length + t) * vocab + ids[row][t + 1]], losses[row][t], tolerance.ofLosses(expected));
                }
            }
            try (DecodeSession session = btm.newSession(ids[0].length)) {
                session.append(Arrays.copyOf(ids[0], 9));
                for (int t = 9; t < ids[0].length; t++) {
                    float[] last = session.append(ids[0][t]);
                    tolerance.assertClose("after " + t, Arrays.copyOfRange(expected, t * vocab, (t + 1) * vocab), last);
                }
            }
            try (DecodeSession first = btm.newSession(8); DecodeSession second = btm.newSession(8)) { // in step, at different lengths
                second.append(Arrays.copyOf(ids[0], 4));
                for (int t = 0; t < 4; t++) {
                    float[][] both = btm.appendEach(List.of(first, second), new int[] {ids[0][t], ids[0][t + 4]});
                    tolerance.assertClose("first after " + t, Arrays.copyOfRange(expected, t * vocab, (t + 1) * vocab), both[0]);
                    tolerance.assertClose("second after " + t, Arrays.copyOfRange(expected, (t + 4) * vocab, (t + 5) * vocab), both[1]);
                }
            }
        }
    }

    @Test
    void allModelsAreMixedUnlessFewerAreAskedFor() {
        try (BtmEnsemble btm = new BtmEnsemble(models)) {
            assertEquals(3, btm.topK());
            for (int k : new int[] {-1, 0, 4}) {
                String message = assertThrows(IllegalArgumentException.class, () -> btm.withTopK(k)).getMessage();
                assertEquals("k = " + k + " is outside 1 .. 3, the number of models", message);
            }
        }
    }

    @Test
    void modelsThatDoNotFitAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> ModelSoup.average(List.of()));
        assertThrows(IllegalArgumentException.class, () -> new BtmEnsemble(List.of()));
        Path other = Path.of(System.getProperty("bts4j.testData")).resolve("golden/llama2-mha");
        try (LlamaModel odd = LlamaModel.open(other)) {
            String soup = assertThrows(io.github.bts4j.core.MismatchException.class, () -> ModelSoup.average(List.of(models.get(0), odd))).getMessage();
            assertTrue(soup.contains("'llama2-mha'") && soup.contains("only models of the same shape"), soup);
            String btm = assertThrows(IllegalArgumentException.class, () -> new BtmEnsemble(List.of(models.get(0), odd))).getMessage();
            assertTrue(btm.contains("[160, 256]"), btm);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
