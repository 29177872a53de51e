package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.torch.KernelChoices;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.metrics.StepMetrics;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A run keeps the kernels that it began with, whatever is faster where it is resumed. */
@EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64") // elsewhere products have one kernel
@SuppressWarnings("try") // bindings are only held
class RunKernelsTest {
    private static final KernelChoices USUAL = KernelChoices.parse("");
    private static final KernelChoices OTHER = KernelChoices.parse("forward.float32=default, training.float32=default, attention.float32=fused");

    @TempDir
    private Path folder;

    private final List<String> messages = new ArrayList<>();

    /** Trains up to a step with some kernels chosen, and gives the tensors' hashes. In passes that are large enough for libtorch to give a convolution to oneDNN. */
    private List<String> run(String kind, KernelChoices chosen, String name, int lastStep) throws IOException {
        TrainerConfig config = TrainerConfig.of(4, 40, TinyRuns.LENGTH, new LearningRate.Constant(1e-3));
        try (KernelChoices.Binding bound = chosen.bind()) {
            return ChildRun.run(kind, folder.resolve(name), config, lastStep).stream().filter(line -> !Character.isDigit(line.charAt(0))).toList();
        }
    }

    /** Whether the kernels round alike depends on the processor, so that equal bits alone need not show anything: the last checkpoint also names the kernels. */
    @ParameterizedTest
    @ValueSource(strings = {"stitch", "expert"})
    void aResumedRunIsTheSameToTheBit(String kind) throws IOException {
        List<String> usual = run(kind, USUAL, "usual", 4);
        List<String> other = run(kind, OTHER, "other", 4);
        run(kind, USUAL, "begun with the usual ones", 2);
        assertEquals(usual, run(kind, OTHER, "begun with the usual ones", 4));
        assertEquals(USUAL.toString(), kernels(folder.resolve("begun with the usual ones")));
        run(kind, OTHER, "begun with the other ones", 2);
        assertEquals(other, run(kind, USUAL, "begun with the other ones", 4));
        assertEquals(OTHER.toString(), kernels(folder.resolve("begun with the other ones")));
    }

    private void resume(Path run, KernelChoices chosen) throws IOException {
        MetricsListener listener = new MetricsListener() {
            @Override
            public void onStep(StepMetrics metrics) {
                // only messages count
            }

            @Override
            public void onMessage(String message) {
                messages.add(message);
            }
        };
        try (KernelChoices.Binding bound = chosen.bind(); StitchedModel model = TinyRuns.stitched(0.1); Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(6), listener)) {
            assertTrue(trainer.resumeFrom(run));
        }
    }

    private static Path state(Path run) throws IOException {
        return RunCheckpoint.latest(run).orElseThrow().resolve("state.json");
    }

    private static String kernels(Path run) throws IOException {
        return new ObjectMapper().readTree(state(run).toFile()).at("/state/model/kernels").asText();
    }

    @Test
    void theCheckpointNamesThem() throws IOException {
        Path run = folder.resolve("run");
        try (KernelChoices.Binding bound = OTHER.bind()) {
            ChildRun.run("stitch", run, TinyRuns.config(6), 1);
        }
        assertEquals(OTHER.toString(), kernels(run));
        resume(run, OTHER);
        assertFalse(messages.toString().contains("kernels"), messages.toString());
        resume(run, USUAL);
        assertTrue(messages.toString().contains("The run keeps the kernels that it began with: " + OTHER), messages.toString());
    }

    /** Checkpoints before there was a choice were made with the usual kernels; those of a later version may name others. */
    @Test
    void otherVersionsCheckpoints() throws IOException {
        Path run = folder.resolve("run");
        try (KernelChoices.Binding bound = OTHER.bind()) {
            ChildRun.run("stitch", run, TinyRuns.config(6), 1);
        }
        ObjectNode json = (ObjectNode) new ObjectMapper().readTree(state(run).toFile());
        ObjectNode model = (ObjectNode) json.at("/state/model");
        model.remove("kernels");
        Files.writeString(state(run), json.toString());
        resume(run, OTHER);
        assertTrue(messages.toString().contains("The run keeps the kernels that it began with: " + USUAL), messages.toString());
        model.put("kernels", "training.float32=quantum");
        Files.writeString(state(run), json.toString());
        resume(run, OTHER);
        assertTrue(messages.toString().contains("saved training.float32=quantum, now " + OTHER), messages.toString());
    }
}
