package io.github.bts4j.cli;

import io.github.bts4j.core.OutputException;
import io.github.bts4j.core.checkpoint.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The folder of a training's checkpoints and metrics, beside the folder of its result. */
final class RunFolder {
    private static final String OWN = "\\.?checkpoint-.*|metrics\\.jsonl|tensorboard|lock|owner|saved\\.json";

    private RunFolder() {}

    /**
     * Refuses a folder that contains something other than a run.
     *
     * @param option the option that gives the folder
     */
    static void check(String option, Path folder, Path out) throws IOException {
        if (Files.exists(folder) && Files.exists(out) && Files.isSameFile(folder, out) || folder.toAbsolutePath().normalize().equals(out.toAbsolutePath().normalize())) {
            throw new OutputException(folder, option + " is the same folder as --out: give another");
        }
        List<Path> others = entries(folder).stream().filter(entry -> !entry.getFileName().toString().matches(OWN)).toList();
        if (!others.isEmpty()) {
            throw new OutputException(folder, option + " contains other files than a run's, such as " + others.get(0).getFileName() + ": give another folder with --run");
        }
    }

    /** Removes a run, so that another one can use the folder. */
    static void clear(Path folder) throws IOException {
        for (Path entry : entries(folder)) {
            if (!List.of("lock", "owner").contains(entry.getFileName().toString())) {
                FileTree.delete(entry);
            }
        }
    }

    private static List<Path> entries(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return List.of();
        }
        if (!Files.isDirectory(folder)) {
            throw new OutputException(folder, "The run's folder " + folder + " is a file: give another with --run");
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.sorted().toList();
        }
    }
}
