package io.github.bts4j.examples;

import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.stitch.StitchedModelBuilder;
import io.github.bts4j.train.StitchTraining;
import io.github.bts4j.train.Trainer;
import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.data.JsonLines;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.TokenEncoder;
import io.github.bts4j.train.metrics.ProgressBar;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Phase 3, stitch: freezes a seed and its experts and trains stitch layers between them on an equal mix of their domains. */
public final class StitchExample {
    private static final int MICRO_BATCH = 2;
    private static final int SEQUENCE = 128;
    private static final double PEAK_LEARNING_RATE = 1e-3;

    private StitchExample() {}

    /**
     * Stitches models.
     *
     * @param arguments the seed's checkpoint folder, its JSONL text, a new folder for the stitch checkpoint, the number of
     *     stitch layers, the number of steps, then the folder and the JSONL text of each expert
     * @throws IOException if a file cannot be read or written
     */
    public static void main(String[] arguments) throws IOException {
        Arguments.check(arguments, "SEED_FOLDER TEXT.jsonl STITCH_FOLDER K STEPS (EXPERT_FOLDER TEXT.jsonl)+", 7, 99);
        Path seed = Path.of(arguments[0]);
        int steps = Integer.parseInt(arguments[4]);
        StitchConfig stitches = StitchConfig.evenly(LlamaConfig.read(seed).numLayers(), Integer.parseInt(arguments[3]));
        StitchedModelBuilder builder = StitchedModel.builder().hub(seed).config(stitches);
        Map<String, Path> texts = new LinkedHashMap<>(Map.of("hub", Path.of(arguments[1])));
        for (int i = 5; i + 1 < arguments.length; i += 2) {
            String name = Path.of(arguments[i]).getFileName().toString();
            builder.expert(name, Path.of(arguments[i]));
            texts.put(name, Path.of(arguments[i + 1]));
        }
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(seed);
                StitchedModel model = builder.open();
                ProgressBar progress = ProgressBar.onStandardError()) {
            LearningRate schedule = new LearningRate.WarmupLinear(PEAK_LEARNING_RATE, steps / 10, steps, 0);
            TrainerConfig config = TrainerConfig.of(steps, MICRO_BATCH, SEQUENCE, schedule);
            try (Trainer trainer = new Trainer(new StitchTraining(model), mix(tokenizer, texts), config, progress)) {
                trainer.run();
            }
            StitchCheckpoint.save(model, Path.of(arguments[2]));
            System.out.println("Saved " + arguments[2]);
        }
    }

    private static Datamix mix(LlamaTokenizer tokenizer, Map<String, Path> texts) {
        List<TokenDataset> domains = new ArrayList<>();
        Map<String, Double> weights = new LinkedHashMap<>();
        texts.forEach((name, file) -> {
            domains.add(TokenDataset.encode(name, new JsonLines(file), TokenEncoder.of(tokenizer)));
            weights.put(name, 1.0);
        });
        return Datamix.of(domains, weights);
    }
}
