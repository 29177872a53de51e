package io.github.bts4j.examples.experiment;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.io.IOException;
import java.nio.file.Path;

/** Runs what an experiment's file describes. Every stage that is there already is passed over; an interrupted training goes on. */
public final class Experiment {
    private final ExperimentSpec spec;

    private Experiment(ExperimentSpec spec) {
        this.spec = spec;
    }

    /**
     * Reads an experiment's description.
     *
     * @param file YAML or JSON
     * @return the experiment
     * @throws IOException if the file cannot be read
     * @throws IllegalArgumentException naming file, line and key of what is wrong
     */
    public static Experiment read(Path file) throws IOException {
        return new Experiment(ExperimentSpec.read(file));
    }

    /**
     * Runs all stages, or those that are left.
     *
     * @return false if the process was told to stop before the end
     * @throws IOException if a file cannot be read or written
     */
    public boolean run() throws IOException {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(spec.tokenizer())) {
            Texts texts = Texts.read(spec, tokenizer);
            return new BaseModels(spec, texts, tokenizer.vocabSize()).make();
        }
    }
}
