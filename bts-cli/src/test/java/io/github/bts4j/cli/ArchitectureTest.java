package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The modules depend on each other in one direction, and each owns one root package. */
class ArchitectureTest {
    private static final List<String> ORDER = List.of("core", "stitch", "train", "vector", "parquet", "spark", "server", "langchain4j", "examples", "cli");
    private static final Pattern PACKAGE = Pattern.compile("io\\.github\\.bts4j\\.(\\w+)");
    private static final Path ROOT = Path.of(System.getProperty("bts4j.testData")).getParent();

    private static List<Path> sources(String module) throws IOException {
        return sources(module, "src/main/java");
    }

    private static List<Path> sources(String module, String folder) throws IOException {
        try (Stream<Path> files = Files.walk(ROOT.resolve("bts-" + module).resolve(folder))) {
            return files.filter(file -> file.toString().endsWith(".java")).toList();
        }
    }

    @Test
    void noModuleNamesAPackageOfALaterOne() throws IOException {
        List<String> problems = new ArrayList<>();
        int read = 0;
        for (String module : ORDER) {
            for (Path file : sources(module)) {
                read++;
                Matcher names = PACKAGE.matcher(Files.readString(file));
                while (names.find()) {
                    if (ORDER.indexOf(names.group(1)) > ORDER.indexOf(module)) {
                        problems.add(file + " names " + names.group());
                    }
                }
            }
        }
        assertEquals(List.of(), problems);
        assertTrue(read > 100, "only " + read + " sources were read");
    }

    /** Tests too. */
    @Test
    void filesStayShort() throws IOException {
        List<String> problems = new ArrayList<>();
        for (String module : ORDER) {
            for (Path file : sources(module, "src")) {
                int lines = Files.readAllLines(file).size();
                if (lines > 350) {
                    problems.add(file + ": " + lines + " lines");
                }
            }
        }
        assertEquals(List.of(), problems);
    }

    /** But for the loops of bts-vector that keep eight sums in registers: JDK 17 inlines no deeper. */
    @Test
    void methodsStayShort() throws IOException {
        List<Path> files = new ArrayList<>();
        for (String module : ORDER) {
            files.addAll(sources(module));
        }
        SortedMap<String, Long> lengths = MethodLengths.of(files);
        lengths.entrySet().removeIf(method -> method.getValue() <= (method.getKey().matches(".*/vector/\\w+\\.java fourSessions") ? 60 : 40));
        assertEquals(Map.of(), lengths);
    }

    /** What is written once: each phrase, and the files of main code that may hold it. */
    private static final Map<String, List<String>> ONCE = Map.of(
            "CharConversionException", List.of("JsonReader"),
            "MessageDigest.getInstance", List.of("Hashes"),
            "0xBF58476D1CE4E5B9L", List.of("SplitMix64"),
            "new ArrayList<String> problems", List.of(),
            "new ObjectMapper(", List.of("JsonLinesReader", "ChatRow", "Fields", "Messages", "Neutral", "ServerLoad", "ExperimentSpec"));

    @Test
    void whatIsSharedIsWrittenOnce() throws IOException {
        List<String> problems = new ArrayList<>();
        for (String module : ORDER) {
            for (Path file : sources(module)) {
                String name = file.getFileName().toString().replace(".java", "");
                String text = Files.readString(file).replaceAll("(?m)^import .*", "").replaceAll("List<String> problems = new ArrayList<>", "new ArrayList<String> problems");
                ONCE.forEach((phrase, holders) -> {
                    if (text.contains(phrase) && !holders.contains(name)) {
                        problems.add(file + " holds '" + phrase + "', which is for " + (holders.isEmpty() ? "Problems" : holders.get(0)));
                    }
                });
            }
        }
        assertEquals(List.of(), problems);
    }

    /** Every class that the map of the papers names is there, and every kernel. */
    @Test
    void theMapOfThePapersNamesWhatThereIs() throws IOException {
        String kernels = "";
        List<String> classes = new ArrayList<>();
        for (String module : ORDER) {
            try (Stream<Path> files = Files.walk(ROOT.resolve("bts-" + module).resolve("src"))) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    String name = file.getFileName().toString();
                    if (name.endsWith(".java")) {
                        classes.add(name.replace(".java", ""));
                    } else if (name.endsWith(".py")) {
                        kernels += Files.readString(file);
                    }
                }
            }
        }
        List<String> problems = new ArrayList<>();
        int named = 0;
        for (String line : Files.readAllLines(ROOT.resolve("docs/papers.md"))) {
            Matcher code = Pattern.compile("(kernels? )?`([^`]+)`").matcher(line);
            boolean kernel = false;
            while (code.find()) {
                kernel = code.group(1) != null || kernel && code.group(2).matches("[a-z_]+");
                String name = code.group(2).replaceFirst("\\..*", "");
                if (name.startsWith("bts ")) {
                    continue;
                }
                named++;
                if (kernel ? !kernels.contains("def " + name + "(") : !classes.contains(name)) {
                    problems.add(name + " in: " + line);
                }
            }
        }
        assertEquals(List.of(), problems);
        assertTrue(named > 50, named + " names");
    }
}
