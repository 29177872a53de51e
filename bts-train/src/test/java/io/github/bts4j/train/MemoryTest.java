package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Resident memory over thousands of steps and tokens, on systems that have /proc. */
@Tag("slow")
class MemoryTest {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final double LIMIT = 30;

    /** Resident memory in MiB, after a collection of Java's garbage. */
    private static double resident() throws IOException {
        System.gc();
        String line = Files.readAllLines(STATUS).stream().filter(text -> text.startsWith("VmRSS:")).findFirst().orElseThrow();
        return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
    }

    private static void assertFlat(String what, double before, double after) {
        System.out.printf("%s: %.1f MiB, then %.1f MiB%n", what, before, after);
        assertTrue(after - before < LIMIT, what + ": grew from " + before + " to " + after + " MiB");
    }

    @Test
    void memoryStaysFlatOverTwoThousandStitchTrainingSteps() throws IOException {
        assumeTrue(Files.exists(STATUS), "needs /proc/self/status");
        try (StitchedModel model = TinyRuns.stitched(0.1);
                Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(2200), metrics -> { })) {
            trainer.runTo(200);
            double before = resident();
            trainer.runTo(1200);
            double midway = resident();
            trainer.runTo(2200);
            assertFlat("stitch training, steps 200 to 1200", before, midway);
            assertFlat("stitch training, steps 200 to 2200", before, resident());
        }
    }

    @Test
    void memoryStaysFlatOverTwoThousandTokensOfOneSession(@TempDir Path folder) throws IOException {
        assumeTrue(Files.exists(STATUS), "needs /proc/self/status");
        for (int i = 0; i < 3; i++) {
            LlamaConfig config = LlamaConfig.builder().vocabSize(TinyRuns.VOCAB).hiddenSize(48).intermediateSize(96).numLayers(4).numHeads(4)
                    .numKvHeads(2).maxPositionEmbeddings(2300).build();
            try (ExpertTraining random = ExpertTraining.fromScratch(config, 0.05, i, Device.cpu())) {
                random.save(folder.resolve(new String[] {"hub", "code", "math"}[i]), folder);
            }
        }
        try (StitchedModel stitched = TinyRuns.stitched(folder, 0, "hub", "code", "math"); LlamaModel alone = LlamaModel.open(folder.resolve("hub"))) {
            generate("tokens of a stitched model", stitched);
            generate("tokens of one model", alone);
        }
    }

    private static void generate(String what, CausalLm model) throws IOException {
        try (DecodeSession session = model.newSession(2300)) {
            int token = 1;
            double before = 0;
            while (session.length() < 2200) {
                if (session.length() == 200) {
                    before = resident();
                }
                float[] logits = session.append(token);
                token = 0;
                for (int i = 1; i < logits.length; i++) {
                    token = logits[i] > logits[token] ? i : token;
                }
            }
            assertEquals(2200, session.length());
            assertFlat(what + ", 200 to 2200", before, resident());
        }
    }
}
