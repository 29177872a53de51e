package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.stitch.Init;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.data.Domain;
import io.github.bts4j.train.data.JsonLines;
import io.github.bts4j.train.data.SwitchingDomain;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.TokenEncoder;
import io.github.bts4j.train.data.Window;
import io.github.bts4j.train.eval.BitsPerByte;
import io.github.bts4j.train.eval.TokenBytes;
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
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * An experiment, not a feature: local SGD. Each of four workers takes H steps of its own, with its own data and its own moments of AdamW, and then all continue from the average of their
 * weights; beside synchronous steps of the same tokens. {@code -Dbts4j.localSgd} is the folder with what experiment/owners.yaml has made, {@code owners} and {@code corpus-owners}. Writes
 * the table of docs/scale-out.md to {@code target/local-sgd.md}.
 */
@Tag("slow")
@EnabledIfSystemProperty(named = "bts4j.localSgd", matches = ".+")
class LocalSgdTest {
    private static final int WORKERS = 4;
    private static final int STEPS = 320;
    private static final int LENGTH = 256;
    private static final int WINDOWS = 48;
    private static final Path FOLDER = Path.of(System.getProperty("bts4j.localSgd", ""));
    private static final List<String> DOMAINS = List.of("english", "code", "math", "german");

    private final List<Domain> training = new ArrayList<>();
    private final Map<String, List<Window>> heldOut = new LinkedHashMap<>();
    private BitsPerByte scorer;

    private void read() throws IOException {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(FOLDER.resolve("owners/models/seed"))) {
            scorer = new BitsPerByte(TokenBytes.of(tokenizer), 16);
            List<TokenDataset> held = new ArrayList<>();
            for (String name : DOMAINS) {
                Path texts = FOLDER.resolve("corpus-owners/owners");
                training.add(TokenDataset.encode(name, new JsonLines(texts.resolve(name + ".train.jsonl")), TokenEncoder.of(tokenizer)));
                held.add(TokenDataset.encode(name, new JsonLines(texts.resolve(name + ".val.jsonl")), TokenEncoder.of(tokenizer)));
                heldOut.put(name, some(held.get(held.size() - 1).windows(LENGTH)));
            }
            heldOut.put("switching", some(new SwitchingDomain("switching", held, LENGTH / 4).windows(LENGTH)));
        }
    }

    private static List<Window> some(List<Window> all) {
        int count = Math.min(all.size(), WINDOWS);
        return IntStream.range(0, count).mapToObj(i -> all.get((int) ((long) i * all.size() / count))).toList();
    }

    private static StitchedModel model() throws IOException {
        Path models = FOLDER.resolve("owners/models");
        return StitchedModel.builder().config(StitchConfig.evenly(4, 4).withAlternating(true).withDropout(0).withInit(Init.EXPERTS)).hub(models.resolve("seed"))
                .expert("code", models.resolve("expert-code")).expert("german", models.resolve("expert-german")).expert("math", models.resolve("expert-math")).open();
    }

    private Trainer trainer(Trainable training, int passes, long seed) {
        AdamWConfig adam = new AdamWConfig(0.9, 0.95, 1e-8, 0);
        TrainerConfig config = TrainerConfig.of(STEPS, 1, LENGTH, new LearningRate.WarmupCosine(2e-3, STEPS / 20, STEPS, 0)).withSeed(seed).withAccumulation(passes).withOptimizer(adam)
                .withParameterGroups(StitchTraining.projections(adam, 0.1));
        Map<String, Double> weights = DOMAINS.stream().collect(Collectors.toMap(name -> name, name -> 1.0));
        return new Trainer(training, Datamix.of(this.training, weights).withSeed(seed), config, step -> { });
    }

    /** Steps of all workers' sequences. */
    private List<Double> synchronous(long seed) throws IOException {
        try (StitchedModel model = model(); Trainer trainer = trainer(new StitchTraining(model), WORKERS, seed)) {
            trainer.run();
            return scores(model);
        }
    }

    private List<Double> local(int every, long seed) throws IOException {
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
        List<Double> scores = scores(models.get(0));
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

    /** Bits per byte of each domain, of switching text, and the domains' average. */
    private List<Double> scores(StitchedModel model) {
        List<Double> scores = new ArrayList<>();
        heldOut.values().forEach(windows -> scores.add(scorer.of(model, windows)));
        scores.add(scores.subList(0, DOMAINS.size()).stream().mapToDouble(each -> each).average().orElseThrow());
        return scores;
    }

    @Test
    void theTable() throws IOException {
        read();
        write(List.of("| steps | random seed | " + String.join(" | ", heldOut.keySet()) + " | average |", "|---|---" + "|---:".repeat(heldOut.size() + 1) + "|"));
        try (StitchedModel untrained = model()) {
            row("untrained", "", scores(untrained));
        }
        for (long seed = 0; seed < 2; seed++) {
            row("synchronous", String.valueOf(seed), synchronous(seed));
            for (int every : new int[] {1, 4, 8, 16}) {
                row("H = " + every, String.valueOf(seed), local(every, seed));
            }
        }
        assertEquals(13, Files.readAllLines(Path.of("target/local-sgd.md")).size());
    }

    private static void row(String what, String seed, List<Double> scores) throws IOException {
        write(List.of("| " + what + " | " + seed + " | " + scores.stream().map(score -> String.format(Locale.ROOT, "%.4f", score)).collect(Collectors.joining(" | ")) + " |"));
    }

    private static void write(List<String> lines) throws IOException {
        Files.write(Path.of("target/local-sgd.md"), lines, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
}
