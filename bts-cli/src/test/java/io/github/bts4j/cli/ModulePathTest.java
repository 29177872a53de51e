package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.bts4j.examples.TinyCheckpoints;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The library as modules: a program that has it on the module path opens a model and generates. */
class ModulePathTest {
    private static final Pattern LEFT = Pattern.compile("pytorch-(native|jni)-|commons-");

    @TempDir
    private Path folder;

    @Test
    void aProgramGeneratesOverTheModulePath() throws IOException, InterruptedException {
        List<String> entries = Arrays.asList(System.getProperty("java.class.path").split(File.pathSeparator));
        List<String> jars = entries.stream().filter(each -> each.endsWith(".jar") && !each.endsWith("-tests.jar"))
                .filter(each -> ModulePathProgram.WANTED.matcher(Path.of(each).getFileName().toString()).lookingAt()).toList();
        // mvn test has folders of classes where mvn verify has jars: only those name their modules
        assumeTrue(jars.stream().anyMatch(each -> Path.of(each).getFileName().toString().startsWith("bts-core")), "bts-core is not packaged yet");
        Path model = TinyCheckpoints.write(folder.resolve("model"), 3);
        // the jars of native libraries have names that no module can have; commons-compress requires a module that DJL leaves out
        String classes = entries.stream().filter(each -> LEFT.matcher(Path.of(each).getFileName().toString()).lookingAt()
                || Path.of(each).endsWith("test-classes") && Files.isDirectory(Path.of(each))).collect(Collectors.joining(File.pathSeparator));
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx512m",
                "-p", String.join(File.pathSeparator, jars), "--add-modules", "ALL-MODULE-PATH", "-cp", classes, ModulePathProgram.class.getName(), model.toString())
                .redirectError(folder.resolve("err").toFile()).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), () -> out + read(folder.resolve("err")));
        assertEquals("io.github.bts4j.core io.github.bts4j.stitch 8", out.strip());
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
