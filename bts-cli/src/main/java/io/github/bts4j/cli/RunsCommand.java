package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.github.bts4j.core.DataException;
import io.github.bts4j.core.FileFormatException;
import io.github.bts4j.core.support.FileErrors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "runs", description = "List the training runs below a folder: steps, loss, best validation. A run that cannot be read is listed with the reason.", footer = {"", "Example:", "  bts runs ."})
final class RunsCommand extends OutputCommand {
    private static final int DEPTH = 4;
    private static final int WIDTH = 36;

    @Parameters(paramLabel = "DIR", description = "A folder that holds runs' folders, at most four levels down.")
    private Path folder;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        List<RunSummary> runs = new ArrayList<>();
        Map<Path, String> unreadable = new LinkedHashMap<>();
        for (Path run : folders()) {
            try {
                runs.add(RunSummary.read(run));
            } catch (FileFormatException e) {
                unreadable.put(run, e.getMessage());
            } catch (IOException e) {
                unreadable.put(run, FileErrors.naming(run.resolve(RunSummary.FILE), e).getMessage());
            }
        }
        if (runs.isEmpty() && !unreadable.isEmpty()) {
            throw new DataException(folder, unreadable.values().iterator().next());
        }
        if (runs.isEmpty()) {
            throw new DataException(folder, folder + " holds no runs: a run's folder has a " + RunSummary.FILE + ", and is beside what the run makes, such as stitched-run");
        }
        runs.sort(Comparator.comparing(RunSummary::changed).reversed());
        if (json) {
            ArrayNode all = Outcome.object().arrayNode();
            runs.forEach(run -> all.add(run.json()));
            unreadable.forEach((run, reason) -> all.add(Outcome.object().put("run", run.toString()).put("error", reason)));
            output().println(all);
            return 0;
        }
        output().printf(Locale.ROOT, "%-" + WIDTH + "s %15s %9s %20s %12s %9s%n", "run", "steps", "loss", "best validation", "tokens", "per s");
        runs.forEach(run -> output().println(row(run)));
        unreadable.forEach((run, reason) -> output().printf(Locale.ROOT, "%-" + WIDTH + "s %15s   %s%n", name(run), "unreadable", reason));
        return 0;
    }

    private List<Path> folders() throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new DataException(folder, folder + (Files.exists(folder) ? " is a file: give a folder" : " does not exist"));
        }
        try (Stream<Path> files = Files.walk(folder, DEPTH)) {
            return files.filter(file -> file.endsWith(RunSummary.FILE) && Files.isRegularFile(file)).map(Path::getParent).sorted().toList();
        }
    }

    private String name(Path run) {
        String name = folder.relativize(run).toString();
        return name.isEmpty() ? "." : name;
    }

    private String row(RunSummary run) {
        Optional<JsonNode> step = run.step();
        String best = run.best().map(row -> String.format(Locale.ROOT, "%.4f at %d", row.path("loss").asDouble(Double.NaN), row.path("step").asLong())).orElse("-");
        return String.format(Locale.ROOT, "%-" + WIDTH + "s %15s %9s %20s %12s %9s%s", name(run.folder()), run.steps() + " of " + run.totalSteps(),
                step.map(row -> String.format(Locale.ROOT, "%.4f", row.path("loss").asDouble(Double.NaN))).orElse("-"), best,
                step.map(row -> String.format(Locale.ROOT, "%,d", row.path("tokens_seen").asLong())).orElse("-"),
                step.map(row -> String.format(Locale.ROOT, "%,.0f", row.path("tokens_per_second").asDouble(Double.NaN))).orElse("-"),
                run.messages() == 0 ? "" : "   " + run.messages() + (run.messages() == 1 ? " message" : " messages"));
    }
}
