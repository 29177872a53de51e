package io.github.bts4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The modules depend on each other in one direction, and each owns one root package. */
class ArchitectureTest {
    private static final List<String> ORDER = List.of("core", "stitch", "train", "parquet", "server", "examples");
    private static final Pattern PACKAGE = Pattern.compile("io\\.github\\.bts4j\\.(\\w+)");
    private static final Path ROOT = Path.of(System.getProperty("bts4j.testData")).getParent();

    private static List<Path> sources(String module) throws IOException {
        try (Stream<Path> files = Files.walk(ROOT.resolve("bts-" + module).resolve("src/main/java"))) {
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

    @Test
    void onlyTheKernelsTouchTheEnginesInternals() throws IOException {
        List<String> problems = new ArrayList<>();
        for (String module : ORDER) {
            for (Path file : sources(module)) {
                boolean kernels = file.toString().contains("/core/torch/") || file.toString().contains("/ai/djl/");
                if (!kernels && Files.readString(file).contains("import ai.djl.pytorch")) {
                    problems.add(file.toString());
                }
            }
        }
        assertEquals(List.of(), problems);
    }

    @Test
    void filesStayShort() throws IOException {
        List<String> problems = new ArrayList<>();
        for (String module : ORDER) {
            for (Path file : sources(module)) {
                if (Files.readAllLines(file).size() > 400) {
                    problems.add(file.toString());
                }
            }
        }
        assertEquals(List.of(), problems);
    }
}
