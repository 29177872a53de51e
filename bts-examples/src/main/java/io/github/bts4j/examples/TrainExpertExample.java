package io.github.bts4j.examples;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.train.ExpertTraining;
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
import java.util.List;
import java.util.Map;

/** Phases 1 and 2, branch and train: copies a seed's weights and continues its pretraining on one domain. */
public final class TrainExpertExample {
    private static final int MICRO_BATCH = 2;
    private static final double PEAK_LEARNING_RATE = 1e-4;

    private TrainExpertExample() {}

    /**
     * Trains an expert.
     *
     * @param arguments the seed's checkpoint folder, a JSONL file with a field "text", the expert's new folder, the number of
     *     steps and the sequence length in tokens
     * @throws IOException if a file cannot be read or written
     */
    public static void main(String[] arguments) throws IOException {
        Arguments.check(arguments, "SEED_FOLDER TEXT.jsonl EXPERT_FOLDER STEPS SEQUENCE_LENGTH", 5, 5);
        Path seedFolder = Path.of(arguments[0]);
        int steps = Integer.parseInt(arguments[3]);
        int sequence = Integer.parseInt(arguments[4]);
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(seedFolder);
                LlamaModel seed = LlamaModel.open(seedFolder);
                ExpertTraining expert = ExpertTraining.branch(seed);
                ProgressBar progress = ProgressBar.onStandardError()) {
            TokenDataset text = TokenDataset.encode("domain", new JsonLines(Path.of(arguments[1])), TokenEncoder.of(tokenizer));
            Datamix data = Datamix.of(List.of(text), Map.of("domain", 1.0));
            LearningRate schedule = new LearningRate.WarmupLinear(PEAK_LEARNING_RATE, steps / 10, steps, 0);
            Path run = Path.of(arguments[2] + "-run");
            TrainerConfig config = TrainerConfig.of(steps, MICRO_BATCH, sequence, schedule).withCheckpoints(100, 1);
            try (Trainer trainer = new Trainer(expert, data, config, progress).saveTo(run)) {
                trainer.resumeFrom(run); // resumes an interrupted run
                trainer.run();
            }
            expert.save(Path.of(arguments[2]), seedFolder);
            System.out.println("Saved " + arguments[2]);
        }
    }
}
