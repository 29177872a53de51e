package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.adapter.AdapterConfig;
import io.github.bts4j.core.adapter.ModuleNames;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.metrics.StepMetrics;
import io.github.bts4j.train.stability.Reaction;
import io.github.bts4j.train.stability.Safeguards;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A training run in a process of its own. Arguments: {@code stitch}, {@code rewind}, {@code expert} or {@code adapter}, the run's folder, total steps, the step to
 * stop at, steps between checkpoints, and the file for the result: a line {@code STEP LOSS-BITS} per step, a line
 * {@code NAME SHA-256} per tensor. Each step is a line on standard output. With a seventh argument, {@code paced}, the run waits after each such line for a byte on
 * standard input, until that ends: whoever wants to kill it in some step need not be faster than it.
 */
final class ChildRun {
    /** Batches whose losses look like spikes, in a run of the kind {@code rewind}. */
    private static final long[] SPIKES = {60, 140, 260, 330};

    private ChildRun() {}

    /** Goes back at every spike, and leaves batches out. */
    static TrainerConfig rewinding(long steps) {
        return TinyRuns.config(steps).withCheckpoints(10, 6).withSafeguards(Safeguards.OFF.withMeasurements(1).withReactions(new Reaction.Rewind(15, 30),
                new Reaction.LearningRateBackoff(0.9)));
    }

    public static void main(String[] arguments) throws IOException {
        String kind = arguments[0];
        Path run = Path.of(arguments[1]);
        long steps = Long.parseLong(arguments[2]);
        TrainerConfig config = kind.equals("rewind") ? rewinding(steps) : TinyRuns.config(steps).withCheckpoints(Long.parseLong(arguments[4]), 2);
        List<String> lines = run(kind, run, config, Long.parseLong(arguments[3]), arguments.length > 6 ? ChildRun::paced : System.out::println);
        Files.write(Path.of(arguments[5]), lines);
    }

    private static void paced(String line) {
        System.out.println(line);
        try {
            System.in.read();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Resumes the run, if there is one, and trains up to a step. */
    static List<String> run(String kind, Path run, TrainerConfig config, long lastStep) throws IOException {
        return run(kind, run, config, lastStep, line -> { });
    }

    private static List<String> run(String kind, Path run, TrainerConfig config, long lastStep, Consumer<String> echo) throws IOException {
        if (kind.equals("adapter")) {
            AdapterConfig adapter = AdapterConfig.lora(4, 8, new ModuleNames.AllLinear()).withDora(true);
            try (LlamaModel seed = LlamaModel.open(TinyRuns.golden("bts-3x4").resolve("hub")); AdapterTraining training = AdapterTraining.start(seed, adapter, 5)) {
                return train(training, run, config, lastStep, echo);
            }
        }
        if (!kind.equals("expert")) {
            try (StitchedModel model = TinyRuns.stitched(0.1)) {
                StitchTraining stitches = new StitchTraining(model);
                return train(kind.equals("rewind") ? new SafeguardsTest.Poisoned(stitches, 50, SPIKES) : stitches, run, config, lastStep, echo);
            }
        }
        try (LlamaModel seed = LlamaModel.open(TinyRuns.golden("bts-3x4").resolve("hub")); ExpertTraining training = ExpertTraining.branch(seed)) {
            return train(training, run, config, lastStep, echo);
        }
    }

    private static List<String> train(Trainable model, Path run, TrainerConfig config, long lastStep, Consumer<String> echo)
            throws IOException {
        List<String> lines = new ArrayList<>();
        MetricsListener listener = metrics -> {
            lines.add(line(metrics));
            echo.accept(line(metrics));
        };
        try (Trainer trainer = new Trainer(model, TinyRuns.data(), config, listener).saveTo(run).stopOnShutdown()) {
            trainer.resumeFrom(run);
            trainer.runTo(lastStep);
        }
        Map<String, NDArray> weights = model.parameters();
        TinyRuns.hashes(weights).forEach((name, hash) -> lines.add(name + " " + hash));
        return lines;
    }

    private static String line(StepMetrics metrics) {
        return metrics.step() + " " + Long.toHexString(Double.doubleToLongBits(metrics.loss())) + " "
                + Long.toHexString(Double.doubleToLongBits(metrics.gradNorm()));
    }

    /** Starts this class in a new JVM with one thread per tensor operation. */
    static Process start(Path errors, Object... arguments) throws IOException {
        List<String> command = ChildJvm.command("-Xmx512m", ChildRun.class.getName());
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.appendTo(errors.toFile()));
        builder.environment().put("OMP_NUM_THREADS", "1");
        return builder.start();
    }
}
