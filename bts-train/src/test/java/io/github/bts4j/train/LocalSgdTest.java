package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.stitch.Init;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.data.Domain;
import io.github.bts4j.train.data.HoldOut;
import io.github.bts4j.train.data.JsonLines;
import io.github.bts4j.train.data.Split;
import io.github.bts4j.train.data.SwitchingDomain;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.TokenEncoder;
import io.github.bts4j.train.data.Window;
import io.github.bts4j.train.eval.BitsPerByte;
import io.github.bts4j.train.eval.TokenBytes;
import io.github.bts4j.train.eval.WindowScores;
import io.github.bts4j.train.optim.AdamWConfig;
import io.github.bts4j.train.optim.FlatTensors;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * An experiment, not a feature: local SGD. Each of four workers takes H steps of its own, with its own data and its own moments of AdamW, and then all continue from the average of their
 * weights; beside synchronous steps of as many tokens. {@code -Dbts4j.localSgd} is the folder with what {@code bts quickstart} has made; models, texts and recipe are the quick start's.
 * Writes the table of docs/scale-out.md to {@code target/local-sgd.md}.
 */
@Tag("slow")
@EnabledIfSystemProperty(named = "bts4j.localSgd", matches = ".+")
class LocalSgdTest {
    private static final int WORKERS = 4;
    private static final int STEPS = Integer.getInteger("bts4j.localSgdSteps", 384);
    private static final int LENGTH = 256;
    private static final List<Integer> EVERY = List.of(8, 2, 32);
    private static final Path FOLDER = Path.of(System.getProperty("bts4j.localSgd", ""));
    private static final List<String> DOMAINS = List.of("english", "code", "math", "lang2");

    private final List<Domain> training = new ArrayList<>();
    private final Map<String, List<Window>> heldOut = new LinkedHashMap<>();
    private BitsPerByte scorer;

    private void read() throws IOException {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(FOLDER.resolve("tokenizer"))) {
            scorer = new BitsPerByte(TokenBytes.of(tokenizer), 16);
            List<TokenDataset> seen = new ArrayList<>();
            List<TokenDataset> held = new ArrayList<>();
            for (String name : DOMAINS) {
                TokenDataset all = TokenDataset.encode(name, new JsonLines(FOLDER.resolve("corpus").resolve(name + ".jsonl")), text -> TokenEncoder.of(tokenizer).encode(text.replaceFirst("(?s)^/\\*.*?\\*/\\s*", "")));
                Split split = all.split(HoldOut.everyKth(9));
                seen.add(split.training());
                held.add(split.heldOut());
                heldOut.put(name, split.heldOut().windows(LENGTH));
            }
            training.addAll(seen);
            training.add(new SwitchingDomain("switching", seen, LENGTH / 4));
            heldOut.put("switching", new SwitchingDomain("switching", held, LENGTH / 4).windows(LENGTH));
        }
    }

    private static StitchedModel model() throws IOException {
        return StitchedModel.builder().config(StitchConfig.evenly(4, 4).withInit(Init.AVERAGE).withDropout(0)).hub(FOLDER.resolve("seed")).expert("code", FOLDER.resolve("expert-code"))
                .expert("maths", FOLDER.resolve("expert-math")).expert("Spanish", FOLDER.resolve("expert-lang2")).open();
    }

    private Trainer trainer(Trainable training, int passes, long seed) {
        TrainerConfig config = TrainerConfig.of(STEPS, 1, LENGTH, new LearningRate.WarmupCosine(1.8e-3, STEPS / 20, STEPS, 0)).withSeed(seed).withAccumulation(passes)
                .withOptimizer(new AdamWConfig(0.9, 0.98, 1e-8, 0));
        Map<String, Double> weights = new LinkedHashMap<>(Map.of("switching", 0.3));
        DOMAINS.forEach(name -> weights.put(name, 0.7 / DOMAINS.size()));
        return new Trainer(training, Datamix.of(this.training, weights).withSeed(seed), config, step -> { });
    }

    /** Steps of all workers' sequences. */
    private Map<String, WindowScores> synchronous(long seed) throws IOException {
        try (StitchedModel model = model(); Trainer trainer = trainer(new StitchTraining(model), WORKERS, seed)) {
            trainer.run();
            return scores(model);
        }
    }

    private Map<String, WindowScores> local(int every, long seed) throws IOException {
        List<StitchedModel> models = new ArrayList<>();
        List<Trainable> trainings = new ArrayList<>();
        List<Trainer> trainers = new ArrayList<>();
        for (int worker = 0; worker < WORKERS; worker++) {
            models.add(model());
            trainings.add(new StitchTraining(models.get(worker)));
            trainers.add(trainer(trainings.get(worker), 1, 100 * (seed + 1) + worker));
        }
        for (int step = every; step <= STEPS; step += every) {
            for (Trainer trainer : trainers) {
                trainer.runTo(step);
            }
            average(trainings);
        }
        assertEquals(1, trainings.stream().map(each -> TinyRuns.hashes(each.parameters())).distinct().count(), "all have the average");
        Map<String, WindowScores> scores = scores(models.get(0));
        trainers.forEach(Trainer::close);
        models.forEach(StitchedModel::close);
        return scores;
    }

    private static void average(List<Trainable> trainings) {
        List<FlatTensors> all = trainings.stream().map(training -> FlatTensors.of(training.parameters().values())).toList();
        int size = Math.toIntExact(all.get(0).size());
        double[] sum = new double[size];
        for (FlatTensors each : all) {
            ByteBuffer values = ByteBuffer.wrap(each.read(0, size)).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < size; i++) {
                sum[i] += values.getFloat();
            }
        }
        ByteBuffer mean = ByteBuffer.allocate(Float.BYTES * size).order(ByteOrder.LITTLE_ENDIAN);
        for (double each : sum) {
            mean.putFloat((float) (each / all.size()));
        }
        for (int i = 0; i < all.size(); i++) {
            FlatTensors flat = all.get(i);
            trainings.get(i).write(() -> flat.write(0, mean.array()));
        }
    }

    /** Of each domain, of switching text, and of all windows together. */
    private Map<String, WindowScores> scores(StitchedModel model) {
        Map<String, WindowScores> scores = new LinkedHashMap<>();
        heldOut.forEach((name, windows) -> scores.put(name, scorer.score(model, windows)));
        scores.put("all", scorer.score(model, heldOut.values().stream().flatMap(List::stream).toList()));
        return scores;
    }

    @Test
    void theTable() throws IOException {
        read();
        write("| steps | random seed | english | code | math | lang2 | switching | all |\n|---|---|---:|---:|---:|---:|---:|---:|");
        double untrained;
        try (StitchedModel model = model()) {
            Map<String, WindowScores> scores = scores(model);
            untrained = scores.get("all").bitsPerByte();
            row("untrained", "", scores);
        }
        Map<String, WindowScores> first = Map.of();
        for (long seed = 0; seed < 2; seed++) {
            Map<String, WindowScores> together = synchronous(seed);
            assertTrue(together.get("all").bitsPerByte() < untrained, "stitches learn");
            row("synchronous", String.valueOf(seed), together);
            if (seed > 0) {
                difference("synchronous, seed 1", "0", together, first);
            }
            first = together;
            for (int every : EVERY) {
                Map<String, WindowScores> apart = local(every, seed);
                assertTrue(apart.get("all").bitsPerByte() < untrained, "H = " + every);
                row("H = " + every, String.valueOf(seed), apart);
                difference("H = " + every, String.valueOf(seed), apart, together);
            }
        }
    }

    private static void row(String what, String seed, Map<String, WindowScores> scores) throws IOException {
        write("| " + what + " | " + seed + " | " + scores.values().stream().map(score -> String.format(Locale.ROOT, "%.4f", score.bitsPerByte())).collect(Collectors.joining(" | ")) + " |");
    }

    /** From synchronous steps, with the interval of 95 % of the paired bootstrap over windows. */
    private static void difference(String what, String seed, Map<String, WindowScores> scores, Map<String, WindowScores> synchronous) throws IOException {
        List<String> cells = new ArrayList<>();
        scores.forEach((name, score) -> {
            WindowScores.Interval interval = score.minus(synchronous.get(name), 0.95, 2000, 1).interval();
            cells.add(String.format(Locale.ROOT, "%+.4f (%+.4f to %+.4f)", interval.value(), interval.low(), interval.high()));
        });
        write("| " + what + " minus synchronous | " + seed + " | " + String.join(" | ", cells) + " |");
    }

    private static void write(String line) throws IOException {
        System.out.println(line);
        Files.write(Path.of("target/local-sgd.md"), List.of(line), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
}
