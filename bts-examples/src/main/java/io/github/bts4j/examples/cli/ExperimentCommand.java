package io.github.bts4j.examples.cli;

import io.github.bts4j.examples.experiment.Experiment;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "experiment", description = "Train a seed, experts and every method that a file names, and compare them. An interrupted experiment goes on when it is called again.",
        footer = {"", "Example:", "  bts experiment experiment/paper.yaml"})
final class ExperimentCommand implements Callable<Integer> {
    @Parameters(paramLabel = "FILE", description = "The experiment's description, YAML or JSON; see docs/experiment.md.")
    private Path file;

    @Override
    public Integer call() throws IOException {
        return Experiment.read(file).run() ? 0 : 1;
    }
}
