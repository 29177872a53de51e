package io.github.bts4j.examples.cli;

import io.github.bts4j.examples.quickstart.QuickStart;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "quickstart", description = "Run the bundled example: pretrain a small seed, branch and train three experts, stitch, compare, generate (minutes).",
        footer = {"", "Examples:", "  bts quickstart", "  bts quickstart --seed 1 --out another"})
final class QuickStartCommand implements Callable<Integer> {
    @Option(names = "--out", defaultValue = "quickstart-out", description = "Folder for models, metrics and report.html (default: ${DEFAULT-VALUE}).")
    private Path out;

    @Option(names = "--seed", defaultValue = "0", description = "Random seed (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Override
    public Integer call() throws IOException {
        QuickStart.main(new String[] {out.toString(), Long.toString(seed)});
        return 0;
    }
}
