package io.github.bts4j.cli;

import io.github.bts4j.core.checkpoint.FileTree;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.train.benchmark.BenchmarkSettings;
import io.github.bts4j.train.benchmark.BenchmarkShape;
import io.github.bts4j.train.benchmark.BenchmarkType;
import io.github.bts4j.train.benchmark.MachineBenchmark;
import io.github.bts4j.train.benchmark.MachineReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "bench", description = "Measure this machine: training, prompts and decoding of a seed and a stitched model, each as a share of the machine's limits. Takes about two minutes and prints a table for reports.",
        footer = {"", "Examples:", "  bts bench", "  bts bench --shape m --types bfloat16,int8 --full", "  bts bench --quick --json"})
final class BenchCommand extends OutputCommand {
    private static final double QUICK = 20;
    private static final double USUAL = 75;
    private static final double FULL = 480;

    @Option(names = "--shape", defaultValue = "s", paramLabel = "SHAPE", description = "Shape of the models: s (27.8 million parameters), m (134.5 million), l (0.46 billion), or xs to try the command (default: ${DEFAULT-VALUE}).")
    private BenchmarkShape shape;

    @Option(names = "--types", defaultValue = "float32,bfloat16", split = ",", paramLabel = "TYPE", description = "Element types of the weights: float32, bfloat16, int8, int4 (default: ${DEFAULT-VALUE}).")
    private List<BenchmarkType> types;

    @Option(names = "--experts", defaultValue = "3", paramLabel = "N", description = "Experts of the stitched model (default: ${DEFAULT-VALUE}).")
    @Within(least = 1, most = 64)
    private int experts;

    @Option(names = "--stitches", defaultValue = "4", paramLabel = "K", description = "Its stitch layers (default: ${DEFAULT-VALUE}).")
    @Within(least = 1, most = 30)
    private int stitches;

    @Option(names = "--threads", paramLabel = "N", description = "Threads of a tensor operation (default: as many as there are processors).")
    @Within(least = 1, most = 1024)
    private Integer threads;

    @Option(names = "--quick", description = "Measure for 20 seconds: few measurements of each kind.")
    private boolean quick;

    @Option(names = "--full", description = "Measure for eight minutes.")
    private boolean full;

    @Option(names = "--seconds", paramLabel = "N", description = "Measure for so many seconds (default: 75). Each figure has at least three measurements all the same.")
    @Within(least = 0, most = 86_400)
    private Integer seconds;

    @Option(names = "--models", paramLabel = "DIR", description = "Keep the models with random weights there, for further runs (default: a temporary folder).")
    private Path models;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        if (quick && full) {
            throw new IllegalArgumentException("--quick and --full exclude each other: give one");
        }
        if (stitches > shape.config().numLayers()) {
            throw new IllegalArgumentException("--stitches " + stitches + " must be from 1 to " + shape.config().numLayers() + ", the layers of shape " + shape.label());
        }
        double time = seconds != null ? seconds : quick ? QUICK : full ? FULL : USUAL;
        BenchmarkSettings settings = BenchmarkSettings.of(shape, types.stream().distinct().toList(), time).withExperts(experts, stitches);
        if (threads != null) {
            Torch.threads(threads);
        }
        MachineReport report = models == null ? inTemporaryFolder(settings) : measure(settings, Files.createDirectories(models));
        String version = spec().root().version()[0];
        output().print(json ? report.json(version) + System.lineSeparator() : report.text(version));
        output().flush();
        return 0;
    }

    private MachineReport measure(BenchmarkSettings settings, Path folder) throws IOException {
        return MachineBenchmark.run(settings, folder, line -> spec().commandLine().getErr().println(line));
    }

    private MachineReport inTemporaryFolder(BenchmarkSettings settings) throws IOException {
        Path folder = Files.createTempDirectory("bts-bench");
        try {
            return measure(settings, folder);
        } finally {
            FileTree.delete(folder);
        }
    }
}
