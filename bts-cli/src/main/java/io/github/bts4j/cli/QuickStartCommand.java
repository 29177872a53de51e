package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.examples.quickstart.QuickStart;
import io.github.bts4j.examples.report.ResultTable;
import io.github.bts4j.examples.report.Row;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "quickstart", description = "Run the bundled example: pretrain a small seed, branch and train three experts, stitch, compare, generate (minutes).",
        footer = {"", "Examples:", "  bts quickstart", "  bts quickstart --seed 1 --out another"})
final class QuickStartCommand implements Callable<Integer> {
    @Option(names = "--out", defaultValue = "quickstart-out", description = "Folder for models, metrics and report.html (default: ${DEFAULT-VALUE}).")
    private Path out;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0", description = "Random seed (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Mixin
    private OutputFolder output;

    @Mixin
    private Outcome outcome;

    @Override
    public Integer call() throws IOException {
        output.check("--out " + out, out, List.of());
        ResultTable table = QuickStart.run(out, seed, outcome.isJson() ? System.err : System.out);
        if (outcome.isJson()) {
            outcome.print("", result(table));
        }
        return 0;
    }

    private ObjectNode result(ResultTable table) {
        ObjectNode result = Outcome.object().put("out", out.toString()).put("report", out.resolve("report.html").toString()).put("seed", seed);
        ObjectNode scores = result.putObject("bits_per_byte");
        for (Row row : table.rows()) {
            ObjectNode values = scores.putObject(row.name());
            for (int i = 0; i < row.values().length; i++) {
                values.put(table.columns().get(i), row.values()[i]);
            }
        }
        return result;
    }
}
