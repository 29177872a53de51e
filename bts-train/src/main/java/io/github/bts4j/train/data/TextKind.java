package io.github.bts4j.train.data;

import io.github.bts4j.core.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The kind of a text file, detected from its content and, if that is not conclusive, from its name. Other files are refused: a file with an unknown name is not
 * treated as plain text.
 */
public enum TextKind {
    /** One JSON object per line: {@link JsonLines}. Names {@code .jsonl}, {@code .ndjson}, {@code .json}, or any whose first lines are JSON objects. */
    JSON_LINES("JSON lines"),
    /** Apache Parquet, by its first bytes. */
    PARQUET("Parquet"),
    /** Plain text: {@link PlainText}. Names {@code .txt}, {@code .md} and others of text and source code. */
    PLAIN_TEXT("plain text");

    private static final Set<String> TEXT_NAMES = Set.of("txt", "text", "md", "markdown", "rst", "adoc", "tex", "org", "java", "py", "c", "h", "cc", "cpp", "hpp", "cs", "go", "js", "ts",
            "rs", "rb", "kt", "scala", "swift", "php", "sh", "sql", "r", "jl", "lua", "pl", "hs", "ml", "clj");
    private static final String NAMES = "JSON lines (.jsonl, .ndjson, .json), Parquet (.parquet) and plain text (.txt, .md, source code)";

    private final String words;

    TextKind(String words) {
        this.words = words;
    }

    /** {@return its name in messages, such as {@code JSON lines}} */
    public String words() {
        return words;
    }

    /**
     * The files below a folder by kind, and files of no known kind.
     *
     * @param byKind files by kind, each in the order of their paths
     * @param unknown other files, and why they are of no known kind
     */
    record Sorted(Map<TextKind, List<Path>> byKind, Map<Path, String> unknown) {
        List<Path> of(TextKind kind) {
            return byKind.getOrDefault(kind, List.of());
        }
    }

    /**
     * The kind of a file, or of the files of a folder. In a folder of JSON lines or Parquet files, other files (such as a README) are skipped; {@link #leftOut} lists
     * them. A folder of plain text must not contain other files.
     *
     * @param path a file or a folder
     * @return its kind
     * @throws DataException naming the path, or the files of the folder, if it is of no kind or of several kinds, in an unsupported archive format, empty, or cannot be read
     */
    public static TextKind of(Path path) {
        if (!Files.isDirectory(path)) {
            DocumentReader.requireExists(path);
            return TextSniffer.kind(path).orElseThrow(() -> new DataException(path, TextSniffer.refusal(path) + ": supported are " + NAMES));
        }
        Sorted files = sorted(path);
        refusePacked(path, files);
        List<Path> lines = files.of(JSON_LINES);
        List<Path> tables = files.of(PARQUET);
        if (!lines.isEmpty() && !tables.isEmpty()) {
            throw new DataException(path, "Folder " + path + " contains " + named(JSON_LINES, lines) + " and " + named(PARQUET, tables) + ": use a folder with one kind of file");
        }
        if (!lines.isEmpty() || !tables.isEmpty()) {
            return lines.isEmpty() ? PARQUET : JSON_LINES;
        }
        if (!files.unknown().isEmpty()) {
            throw new DataException(path, "In folder " + path + ", " + files.unknown().values().iterator().next()
                    + (files.unknown().size() > 1 ? " (" + (files.unknown().size() - 1) + " more are of no known kind)" : "") + ": supported are " + NAMES);
        }
        if (files.of(PLAIN_TEXT).isEmpty()) {
            throw new DataException(path, "Folder " + path + " contains no text files: supported are " + NAMES);
        }
        return PLAIN_TEXT;
    }

    /**
     * The files of a folder that are not of a kind and therefore not read.
     *
     * @param path a file or a folder
     * @return the skipped files by path; empty if the path is a file
     * @throws DataException if a file cannot be read
     */
    public List<Path> leftOut(Path path) {
        if (!Files.isDirectory(path) || this == PLAIN_TEXT) {
            return List.of();
        }
        List<Path> all = new ArrayList<>(visible(path));
        all.removeAll(sorted(path).of(this));
        return all;
    }

    /** The files of a source of this kind. A single file is always accepted; all visible files of a folder may be plain text. */
    List<Path> files(Path path) {
        if (!Files.isDirectory(path)) {
            return List.of(path);
        }
        if (this == PLAIN_TEXT) {
            return visible(path);
        }
        Sorted files = sorted(path);
        refusePacked(path, files);
        return files.of(this);
    }

    private static Sorted sorted(Path folder) {
        Map<TextKind, List<Path>> byKind = new EnumMap<>(TextKind.class);
        Map<Path, String> unknown = new java.util.LinkedHashMap<>();
        for (Path file : visible(folder)) {
            TextSniffer.kind(file).ifPresentOrElse(kind -> byKind.computeIfAbsent(kind, k -> new ArrayList<>()).add(file), () -> unknown.put(file, TextSniffer.refusal(file)));
        }
        return new Sorted(byKind, unknown);
    }

    private static void refusePacked(Path path, Sorted files) {
        files.unknown().values().stream().filter(why -> why.endsWith(TextSniffer.UNPACK)).findFirst().ifPresent(why -> {
            throw new DataException(path, why);
        });
    }

    /** Files below a folder, apart from hidden ones and those in hidden folders, by path. */
    static List<Path> visible(Path folder) {
        try (Stream<Path> walk = Files.walk(folder)) {
            return walk.filter(Files::isRegularFile).filter(file -> {
                for (Path part : folder.relativize(file)) {
                    if (part.toString().startsWith(".")) {
                        return false;
                    }
                }
                return true;
            }).sorted().toList();
        } catch (IOException e) {
            throw DocumentReader.unreadable(folder, e);
        } catch (UncheckedIOException e) { // while it is walked
            throw DocumentReader.unreadable(folder, e.getCause());
        }
    }

    private static String named(TextKind kind, List<Path> files) {
        return files.size() + " of " + kind.words + " (" + files.get(0).getFileName() + (files.size() > 1 ? ", .." : "") + ")";
    }

    /** Whether a name, in lower case and without its compression, is that of plain text. */
    static boolean isTextName(String name) {
        return TEXT_NAMES.contains(ending(name));
    }

    static String ending(String name) {
        return name.lastIndexOf('.') < 0 ? "" : name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    }

    /** The first bytes of a file, decompressed. */
    static byte[] head(Path file, int bytes) {
        try (InputStream in = TextFiles.open(file)) {
            return in.readNBytes(bytes);
        } catch (IOException e) {
            throw DocumentReader.unreadable(file, e);
        }
    }

    /** The kind of a file name. */
    static Optional<TextKind> named(String name) {
        return switch (ending(name)) {
            case "jsonl", "ndjson" -> Optional.of(JSON_LINES);
            case "parquet" -> Optional.of(PARQUET);
            default -> isTextName(name) ? Optional.of(PLAIN_TEXT) : Optional.empty();
        };
    }
}
