package io.github.bts4j.train.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.train.data.SwitchingDomain;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.Window;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BitsPerByteTest {
    private static final int VOCABULARY = 160;

    private static List<Window> windows() {
        Random random = new Random(5);
        List<Window> windows = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            windows.add(new Window("a", random.ints(9, 1, VOCABULARY).toArray(), List.of()));
        }
        return windows;
    }

    /** Of one token's loss, alone and in a batch. */
    private static double tolerance(LlamaModel model, float[] losses) {
        return Tolerance.of(model.config(), losses.length, Precision.FLOAT32).ofLosses(losses);
    }

    /** A token stands for as many bytes as its number; parts hold the sums of the model's own token losses. */
    @Test
    void partsOfWindows() throws IOException {
        try (LlamaModel model = LlamaModel.open(Path.of(System.getProperty("bts4j.testData"), "golden", "bts-3x4", "hub"))) {
            List<Window> windows = windows();
            List<WindowScores> parts = new BitsPerByte(token -> token, 2).byPart(model, windows, 4);
            assertEquals(4, parts.size());
            for (int i = 0; i < windows.size(); i++) {
                int[] tokens = windows.get(i).tokens();
                float[] losses = model.tokenLosses(new int[][] {tokens})[0];
                for (int part = 0; part < 4; part++) {
                    assertEquals(losses[2 * part] + losses[2 * part + 1], parts.get(part).nats()[i], 2 * tolerance(model, losses));
                    assertEquals(tokens[2 * part + 1] + tokens[2 * part + 2], parts.get(part).bytes()[i]);
                    assertEquals(2, parts.get(part).tokens()[i]);
                }
            }
            WindowScores whole = new BitsPerByte(token -> token, 2).score(model, windows);
            assertArrayEquals(whole.nats(), WindowScores.together(parts).nats(), 1e-6);
            assertArrayEquals(whole.bytes(), WindowScores.together(parts).bytes());
            assertArrayEquals(whole.tokens(), WindowScores.together(parts).tokens());
        }
    }

    private static TokenDataset dataset(String name, int first, int tokens) {
        return TokenDataset.builder(name).add(IntStream.range(first, first + tokens).toArray(), 1).build();
    }

    /** Losses go to the dataset that a token comes from, whatever came before it; the first token of a window is not predicted. */
    @Test
    void sourcesOfText() throws IOException {
        try (LlamaModel model = LlamaModel.open(Path.of(System.getProperty("bts4j.testData"), "golden", "bts-3x4", "hub"))) {
            List<Window> windows = new SwitchingDomain("switching", List.of(dataset("low", 1, 40), dataset("high", 100, 40)), 4).windows(11).subList(0, 3);
            Map<String, WindowScores> scores = new BitsPerByte(token -> token, 2).bySource(model, windows);
            assertEquals(List.of("low", "high"), List.copyOf(scores.keySet()));
            for (int i = 0; i < windows.size(); i++) {
                int[] tokens = windows.get(i).tokens();
                float[] losses = model.tokenLosses(new int[][] {tokens})[0];
                for (String name : scores.keySet()) {
                    int[] own = IntStream.range(1, tokens.length).filter(t -> (tokens[t] < 100) == name.equals("low")).toArray();
                    assertEquals(Arrays.stream(own).mapToDouble(t -> losses[t - 1]).sum(), scores.get(name).nats()[i], own.length * tolerance(model, losses));
                    assertEquals(Arrays.stream(own).mapToLong(t -> tokens[t]).sum(), scores.get(name).bytes()[i]);
                    assertEquals(own.length, scores.get(name).tokens()[i]);
                }
            }
            WindowScores whole = new BitsPerByte(token -> token, 2).score(model, windows);
            assertArrayEquals(whole.nats(), WindowScores.together(List.copyOf(scores.values())).nats(), 1e-4);
            Harness.assertRefused("segments for 0", () -> new BitsPerByte(token -> token, 2).bySource(model, windows()));
        }
    }
}
