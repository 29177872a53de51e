package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.bts4j.core.CachedSession;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeBatch;
import io.github.bts4j.core.DecodeEngine;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.KvState;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.PrefixCache;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import io.github.bts4j.stitch.StitchedModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Of a prompt in blocks, only the last block computes logits, and their bits do not depend on it. */
class PromptHeadTest {
    private static final int BLOCK = PrefixCache.BLOCK;
    private static final int CONTEXT = 4 * BLOCK;

    @TempDir
    private Path folder;

    private static int[] tokens(int count) {
        return new SplittableRandom(7).ints(count, 0, 2048).toArray();
    }

    private static LlamaConfig config() {
        return LlamaConfig.builder().vocabSize(2048).hiddenSize(64).intermediateSize(96).numLayers(4).numHeads(4).numKvHeads(2).maxPositionEmbeddings(CONTEXT).build();
    }

    /** The same blocks, each as a prompt of its own that ends there, and so with logits. */
    @Test
    void theBitsAreThoseOfBlocksWithLogits() throws Exception {
        TinyRuns.textModels(folder, config(), "hub", "code", "math");
        try (LlamaModel alone = LlamaModel.open(folder.resolve("hub")); StitchedModel stitched = TinyRuns.stitched(folder, 0, "hub", "code", "math");
                LlamaModel int8 = LlamaModel.open(folder.resolve("hub"), LoadOptions.defaults().withQuantization(Quantization.INT8));
                LlamaModel int4 = LlamaModel.open(folder.resolve("hub"), LoadOptions.defaults().withPrecision(Precision.BFLOAT16).withQuantization(Quantization.INT4))) {
            for (CausalLm model : List.of(alone, stitched, int8, int4)) {
                for (int rest : new int[] {1, 10, 40, 130, 200, BLOCK, 2 * BLOCK + 70}) {
                    assertSameBits(model, tokens(BLOCK + rest));
                }
            }
        }
    }

    private static void assertSameBits(CausalLm model, int... prompt) {
        try (DecodeSession together = model.newSession(CONTEXT); DecodeSession parts = model.newSession(CONTEXT); DecodeSession apart = model.newSession(CONTEXT)) {
            float[] logits = together.append(prompt);
            apart.append(Arrays.copyOf(prompt, BLOCK));
            assertArrayEquals(apart.append(Arrays.copyOfRange(prompt, BLOCK, prompt.length)), logits, model + " " + prompt.length);
            float[] found = {};
            while (found.length == 0) {
                found = parts.appendPart(Arrays.copyOfRange(prompt, parts.length(), prompt.length));
            }
            assertArrayEquals(logits, found);
        }
    }

    @Test
    void onlyTheLastBlockIsAskedForLogits() throws Exception {
        TinyRuns.textModels(folder, config(), "hub");
        List<Boolean> wanted = new ArrayList<>();
        DecodeEngine<KvState> engine = new DecodeEngine<>() {
            @Override
            public boolean prefers(DecodeBatch<KvState> batch) {
                return true;
            }

            @Override
            public float[][] decode(DecodeBatch<KvState> batch) {
                wanted.add(batch.wantsLogits());
                return batch.wantsLogits() ? new float[][] {{batch.size()}} : new float[0][];
            }
        };
        Lifetime lifetime = Lifetime.shared("test");
        try (LlamaModel model = LlamaModel.open(folder.resolve("hub"))) {
            for (boolean inParts : new boolean[] {false, true}) {
                wanted.clear();
                try (DecodeSession session = new CachedSession<>(model, lifetime, List.of(engine), CONTEXT, capacity -> new Causal())) {
                    int[] prompt = tokens(2 * BLOCK + 20);
                    float[] logits = inParts ? new float[0] : session.append(prompt);
                    while (logits.length == 0) {
                        logits = session.appendPart(Arrays.copyOfRange(prompt, session.length(), prompt.length));
                    }
                    assertArrayEquals(new float[] {20}, logits);
                    session.append(1);
                }
                assertEquals(List.of(false, false, true, true), wanted);
            }
        }
    }

    private record Causal() implements KvState {
        @Override
        public boolean isCausal() {
            return true;
        }

        @Override
        public void close() {
            // holds nothing
        }
    }
}
