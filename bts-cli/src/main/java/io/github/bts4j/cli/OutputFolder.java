package io.github.bts4j.cli;

import io.github.bts4j.core.OutputException;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.FileTree;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/**
 * The folder that a command writes a checkpoint into. A folder that is not empty is refused before any work is done, unless
 * {@code --force} is given or it contains the output of the same run. A folder that is also an input is always refused. With {@code --force} a
 * checkpoint is replaced as a whole, and other files are kept.
 */
final class OutputFolder {
    private static final String STAGING = ".bts4j-";
    /** Without these files a folder is not a model: they are deleted first and written last. */
    private static final List<String> DESCRIPTIONS = List.of("config.json", "adapter_config.json", "stitch.json", "router.json", "upcycled.json");
    private static final Set<String> FILES = Set.of("tokenizer.json", "tokenizer_config.json", "generation_config.json", "special_tokens_map.json", "chat_template.jinja",
            "chat_template.json", "added_tokens.json");

    @Option(names = "--force", description = "Replace the contents of OUT. Without it, a folder that is not empty is refused.")
    private boolean force;

    /** Writes a checkpoint's files. */
    interface Content {
        void writeTo(Path folder) throws IOException;
    }

    /**
     * Refuses a folder that cannot be written to, has other contents, or is an input.
     *
     * @param what its name in messages: the option or parameter with its value
     * @param out the folder
     * @param inputs folders that are read
     */
    void check(String what, Path out, List<Path> inputs) throws IOException {
        check(what, out, inputs, Map.of());
    }

    /** Like {@link #check}, for a run, which may replace its own output: files with their SHA-256. */
    void check(String what, Path out, List<Path> inputs, Map<String, String> made) throws IOException {
        if (Files.exists(out) && !Files.isDirectory(out)) {
            throw new OutputException(out, what + " is a file: give a folder");
        }
        for (Path input : inputs) {
            if (isAtOrBelow(input, out)) {
                throw new OutputException(out, what + " holds " + input + ", which is an input: give another folder");
            }
        }
        List<Path> entries = entries(out);
        if (!force && !entries.isEmpty() && !RunProduct.isWhatIsThere(made, out)) {
            throw new OutputException(out, what + " holds " + described(out, entries) + ": give another folder, or --force to replace it");
        }
        probe(what, out);
    }

    /** Refuses a folder with files that an experiment did not make, unless {@code --force} is given. */
    static void checkOwn(String what, Path out, Set<String> own, boolean force) throws IOException {
        if (Files.exists(out) && !Files.isDirectory(out)) {
            throw new OutputException(out, what + " is a file: give a folder");
        }
        List<Path> others = entries(out).stream().filter(entry -> !own.contains(entry.getFileName().toString())).toList();
        if (!force && !others.isEmpty()) {
            throw new OutputException(out, what + " holds " + described(out, others) + ": give another folder, or --force to write into it");
        }
        probe(what, out);
    }

    /** Whether --force was given. */
    boolean isForced() {
        return force;
    }

    /** Whether a path is a folder or inside it; links are followed. */
    private static boolean isAtOrBelow(Path path, Path folder) throws IOException {
        return Files.exists(path) && Files.exists(folder) && path.toRealPath().startsWith(folder.toRealPath());
    }

    private static List<Path> entries(Path out) throws IOException {
        if (!Files.isDirectory(out)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(out)) {
            return entries.filter(entry -> !entry.getFileName().toString().startsWith(STAGING)).sorted().toList();
        }
    }

    private static String described(Path out, List<Path> entries) {
        Optional<String> description = DESCRIPTIONS.stream().filter(name -> Files.exists(out.resolve(name))).reduce((first, last) -> last);
        String kind = description.map(name -> switch (name) {
            case "config.json" -> "a model";
            case "adapter_config.json" -> "an adapter";
            case "stitch.json" -> "a stitched model";
            default -> "a checkpoint";
        }).orElse("other files");
        return kind + " (" + entries.stream().limit(3).map(entry -> entry.getFileName().toString()).collect(Collectors.joining(", ")) + (entries.size() > 3 ? ", .." : "") + ")";
    }

    /** Creates and removes the output folder, so that a path that cannot be written to is reported early. */
    private static void probe(String what, Path out) throws IOException {
        Path parent = out.toAbsolutePath().normalize().getParent();
        try {
            Path there = Files.isDirectory(out) ? out : Files.createDirectories(parent == null ? out : parent);
            Files.delete(Files.createTempDirectory(there, STAGING));
        } catch (IOException e) {
            throw new OutputException(out, what + " cannot be written to: " + Failure.io(e), e);
        }
    }

    /** Writes a model, either in one step or with its configuration last. */
    void write(Path out, Content content) throws IOException {
        Path target = out.toAbsolutePath().normalize();
        boolean exists = Files.isDirectory(target);
        Path staging = Files.createDirectory((exists ? target : Files.createDirectories(target.getParent())).resolve(STAGING + UUID.randomUUID()));
        try {
            content.writeTo(staging);
            if (exists) {
                replace(target, staging);
            } else {
                Files.move(staging, target, StandardCopyOption.ATOMIC_MOVE);
                AtomicFiles.forceFolder(target.getParent());
            }
        } finally {
            FileTree.delete(staging);
        }
    }

    /** Writes stitch layers, replacing older ones in one step; then deletes files of another kind of checkpoint. */
    void write(Path out, StitchedModel model) throws IOException {
        StitchCheckpoint.save(model, out);
        for (Path entry : checkpointFiles(out)) {
            String name = entry.getFileName().toString();
            if (!name.equals("stitch.json") && !name.matches("stitch-[0-9a-f]+\\.safetensors")) {
                Files.delete(entry);
            }
        }
    }

    private static void replace(Path target, Path staging) throws IOException {
        for (Path old : checkpointFiles(target)) {
            Files.delete(old);
        }
        List<Path> files;
        try (Stream<Path> entries = Files.list(staging)) {
            files = entries.sorted(Comparator.comparingInt(OutputFolder::rank).reversed()).toList();
        }
        for (Path file : files) {
            Files.move(file, target.resolve(file.getFileName()), StandardCopyOption.ATOMIC_MOVE);
        }
        AtomicFiles.forceFolder(target);
    }

    private static int rank(Path file) {
        return DESCRIPTIONS.contains(file.getFileName().toString()) ? 0 : 1;
    }

    /** The files of a checkpoint, descriptions first. */
    private static List<Path> checkpointFiles(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(Files::isRegularFile).filter(file -> {
                String name = file.getFileName().toString();
                return DESCRIPTIONS.contains(name) || FILES.contains(name) || name.endsWith(".safetensors") || name.endsWith(".safetensors.index.json");
            }).sorted(Comparator.comparingInt(OutputFolder::rank)).toList();
        }
    }
}
