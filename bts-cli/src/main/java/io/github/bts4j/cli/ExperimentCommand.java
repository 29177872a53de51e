package io.github.bts4j.cli;

import io.github.bts4j.examples.experiment.Experiment;
import io.github.bts4j.examples.experiment.Plan;
import io.github.bts4j.train.cluster.Cluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

@Command(name = "experiment", description = "Train a seed, experts and the methods listed in a file, and compare them. Run the command again to resume.",
        footer = {"", "Examples:", "  bts experiment experiment/paper.yaml", "  bts experiment experiment/paper.yaml --master 'local[4]'"})
final class ExperimentCommand extends OutputCommand {
    /** The files that an experiment makes in its folder. Stages with other settings are refused separately. */
    private static final Set<String> OWN = Set.of("models", "methods", "tokens", "generated", "results", "locks", "plan", "results.md", "report.html");

    @Parameters(paramLabel = "FILE", description = "The experiment's description, YAML or JSON; see docs/experiment.md.")
    private Path file;

    @Option(names = "--force", description = "Repeat stages that were made with other settings or text, and write into a folder with other files. Without it, both are refused.")
    private boolean force;

    @Option(names = "--plan", description = "Train nothing: print what is done of every stage, and how many minutes this machine needs for the rest. Some steps are measured for that.")
    private boolean plans;

    @Mixin
    private ClusterOption cluster;

    @Mixin
    private Outcome outcome;

    @Override
    public Integer call() throws IOException {
        if (plans) {
            cluster.refuse("--plan measures this machine alone, and says nothing of a cluster: leave out one of the two");
        }
        Experiment experiment = read();
        OutputFolder.checkOwn("The experiment's output " + experiment.output(), experiment.output(), OWN, force);
        if (plans) {
            Plan plan = experiment.plan();
            outcome.print(plan.text(), plan.json());
            return 0;
        }
        Experiment chosen = force ? experiment.replacingOthers() : experiment;
        try (Cluster there = cluster.open().orElse(null)) {
            if (!(there == null ? chosen.run() : chosen.run(there))) {
                return 1;
            }
        }
        Path out = experiment.output();
        outcome.print("Wrote " + out.resolve("results.md"), Outcome.object().put("out", out.toString()).put("results", out.resolve("results.md").toString())
                .put("report", out.resolve("report.html").toString()));
        return 0;
    }

    /** Errors in the file are usage errors, as in the run file of a training. */
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
