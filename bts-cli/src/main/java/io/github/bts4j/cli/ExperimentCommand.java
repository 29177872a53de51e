package io.github.bts4j.cli;

import io.github.bts4j.examples.experiment.Experiment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

@Command(name = "experiment", description = "Train a seed, experts and every method that a file names, and compare them. An interrupted experiment goes on when it is called again.",
        footer = {"", "Example:", "  bts experiment experiment/paper.yaml"})
final class ExperimentCommand extends OutputCommand {
    /** What an experiment makes in its folder. A stage that was made from something else is refused by itself. */
    private static final Set<String> OWN = Set.of("models", "methods", "tokens", "generated", "results", "locks", "results.md", "report.html");

    @Parameters(paramLabel = "FILE", description = "The experiment's description, YAML or JSON; see docs/experiment.md.")
    private Path file;

    @Option(names = "--force", description = "Make stages again that were made from other settings or text, also in a folder that holds something else. Without it, both are refused.")
    private boolean force;

    @Mixin
    private Outcome outcome;

    @Override
    public Integer call() throws IOException {
        Experiment experiment = read();
        OutputFolder.checkOwn("The experiment's output " + experiment.output(), experiment.output(), OWN, force);
        if (!(force ? experiment.replacingOthers() : experiment).run()) {
            return 1;
        }
        Path out = experiment.output();
        outcome.print("Wrote " + out.resolve("results.md"), Outcome.object().put("out", out.toString()).put("results", out.resolve("results.md").toString())
                .put("report", out.resolve("report.html").toString()));
        return 0;
    }

    /** What is wrong in the file is a wrong call, as in the run file of a training. */
    private Experiment read() throws IOException {
        try {
            if (!Files.exists(file)) {
                throw new IllegalArgumentException(file + " does not exist");
            }
            return Experiment.read(file);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec().commandLine(), e.getMessage(), e);
        }
    }
}
