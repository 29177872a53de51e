package io.github.bts4j.train.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.ExpertTraining;
import io.github.bts4j.train.metrics.Median;
import io.github.bts4j.train.optim.AdamW;
import io.github.bts4j.train.optim.AdamWConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;

/**
 * Measures a machine: training steps, prompts, decoding of one session and of eight together, of a seed and of the stitched model of the seed and its experts. Each
 * time is measured right after the limit that the machine sets: the time to read the weights once, or that of the operations, whichever is longer. Seeds are
 * trained in float32 only. Not thread-safe.
 */
public final class MachineBenchmark {
    static final int SESSIONS = 8;
    private static final int PROMPT = 64; // before decoding
    private static final int TOKENS = 4; // decoded at a time
    private static final int ROOM = 256;
    private static final int FEWEST = 3;
    private static final int MOST = 200;
    private static final long MEMORY = 1L << 30;
    private static final int SIDE = 2048;
    private static final int TASKS = 8; // of a type

    private final BenchmarkSettings settings;
    private final Path folder;
    private final Consumer<String> progress;
    private final List<BenchmarkRow> rows = new ArrayList<>();
    private final List<MachineReport.Limits> limits = new ArrayList<>();

    private MachineBenchmark(BenchmarkSettings settings, Path folder, Consumer<String> progress) {
        this.settings = settings;
        this.folder = folder;
        this.progress = progress;
    }

    /**
     * Measures this machine.
     *
     * @param settings what to measure
     * @param folder where the models with random weights are, or are written to
     * @param progress receives a line before each measurement
     * @return the figures
     * @throws IOException if a model cannot be written or read
     */
    public static MachineReport run(BenchmarkSettings settings, Path folder, Consumer<String> progress) throws IOException {
        double load = Machine.load();
        long begin = System.nanoTime();
        MachineBenchmark benchmark = new MachineBenchmark(settings, folder, progress);
        for (BenchmarkType type : settings.types()) {
            benchmark.measure(type);
        }
        return new MachineReport(settings, Machine.here(), benchmark.limits, benchmark.rows, load, Machine.load(), (System.nanoTime() - begin) / 1e9);
    }

    static String label(BenchmarkType type) {
        return type.name().toLowerCase(Locale.ROOT);
    }

    private void measure(BenchmarkType type) throws IOException {
        BenchmarkModels models = new BenchmarkModels(settings.shape(), type.precision(), settings.experts(), 0, folder);
        progress.accept(label(type) + ": models of shape " + settings.shape().label());
        models.write();
        boolean tiny = settings.shape() == BenchmarkShape.XS;
        try (MachineLimits machine = new MachineLimits(tiny ? MEMORY >> 6 : MEMORY, tiny ? SIDE >> 3 : SIDE, type.precision().elementType())) {
            Series series = new Series(type, machine);
            try (StitchedModel stitched = models.open(settings.stitches(), type.options())) {
                LlamaModel seed = stitched.models().get(0);
                if (type == BenchmarkType.FLOAT32) {
                    seedTraining(series, seed);
                }
                generation(series, "seed", seed, BenchmarkWork.seed(settings, seed.weightBytes()));
                BenchmarkWork.Counts work = BenchmarkWork.stitched(settings, bytes(stitched, type));
                training(series, stitched, work);
                generation(series, "stitched", stitched, work);
            }
            limits.add(series.limits());
        }
    }

    /** Experts' embeddings are not read: the hub's head is the model's. */
    private static double bytes(StitchedModel model, BenchmarkType type) {
        LlamaConfig config = model.models().get(0).config();
        double head = type.headBytes() * config.vocabSize() * config.hiddenSize();
        double stitches = (double) model.config().parameterCount(model.numExperts(), model.hiddenSize()) * model.type().bytes();
        return model.models().stream().mapToDouble(LlamaModel::weightBytes).sum() - head * model.numExperts() + stitches;
    }

    private void generation(Series series, String name, CausalLm model, BenchmarkWork.Counts work) {
        series.add(name, "prefill", settings.prompt(), work.prompt(), () -> SessionSteps.prefillSeconds(model, settings.prompt()));
        for (int sessions : new int[] {1, SESSIONS}) {
            try (SessionSteps steps = new SessionSteps(model, sessions, PROMPT, ROOM)) {
                series.add(name, sessions == 1 ? "decoding" : sessions + " sessions", sessions, work.token(sessions, PROMPT), () -> steps.seconds(TOKENS) / TOKENS);
            }
        }
    }

    private void training(Series series, StitchedModel model, BenchmarkWork.Counts work) {
        int[][] tokens = tokens();
        step(series, "stitched", work, model.getNDManager(), model::stitchTensors, weight -> {
            model.accumulateGradients(tokens, weight, 0);
        }, model::weightsChanged);
    }

    private void seedTraining(Series series, LlamaModel seed) {
        int[][] tokens = tokens();
        try (ExpertTraining training = ExpertTraining.branch(seed)) {
            step(series, "seed", BenchmarkWork.seed(settings, seed.weightBytes()), training.manager(), training::parameters, weight -> {
                training.accumulateGradients(tokens, weight, 0);
            }, training::weightsChanged);
        }
    }

    private interface Gradients {
        void accumulate(float weight);
    }

    /** A whole step: forward and backward pass, clipping, AdamW. */
    private void step(Series series, String name, BenchmarkWork.Counts work, NDManager manager, Supplier<Map<String, NDArray>> trained, Gradients gradients, Runnable changed) {
        int count = settings.batch() * settings.sequence();
        try (AdamW optimizer = new AdamW(new AdamWConfig(0.9, 0.95, 1e-8, 0.1), manager, trained.get())) {
            series.add(name, "training", count, work.step(), () -> PairedTimes.seconds(() -> {
                gradients.accumulate(1f / count);
                optimizer.clip(optimizer.gradientNorm(), 1.0);
                optimizer.step(1e-4);
                changed.run();
            }));
        }
    }

    private int[][] tokens() {
        Random random = new Random(0);
        int[][] tokens = new int[settings.batch()][settings.sequence() + 1];
        for (int[] row : tokens) {
            Arrays.setAll(row, i -> random.nextInt(settings.shape().config().vocabSize()));
        }
        return tokens;
    }

    /** Measurements of one element type. */
    private final class Series {
        private final BenchmarkType type;
        private final MachineLimits machine;
        private final List<Double> memory = new ArrayList<>();
        private final List<Double> product = new ArrayList<>();

        Series(BenchmarkType type, MachineLimits machine) {
            this.type = type;
            this.machine = machine;
            for (int i = 0; i <= FEWEST; i++) {
                reading();
                multiplying();
            }
            memory.remove(0); // the first ones warm up
            product.remove(0);
        }

        private double reading() {
            memory.add(machine.memory());
            return memory.get(memory.size() - 1);
        }

        private double multiplying() {
            product.add(machine.product());
            return product.get(product.size() - 1);
        }

        MachineReport.Limits limits() {
            return new MachineReport.Limits(label(type), Median.of(memory), Median.of(product));
        }

        void add(String model, String task, int tokens, BenchmarkWork work, DoubleSupplier seconds) {
            progress.accept(label(type) + ", " + model + ": " + task);
            boolean reads = work.isBoundByMemory(Median.of(memory), Median.of(product));
            PairedTimes times = PairedTimes.of(FEWEST, MOST, settings.seconds() / settings.types().size() / TASKS, reads ? this::reading : this::multiplying, seconds);
            rows.add(new BenchmarkRow(label(type), model, task, tokens / times.median(), tokens / times.upperQuartile(), tokens / times.lowerQuartile(), reads ? "memory" : "product",
                    times.share(reads ? work.bytes() : work.operations()), times.limits().length));
        }
    }
}
