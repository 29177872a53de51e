package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The launcher scripts: in a tree that was copied they run the copy's jars, and a server's environment is set. */
@DisabledOnOs(OS.WINDOWS)
class LauncherTest {
    @TempDir
    private Path folder;

    @Test
    void aCopiedTreeRunsItsOwnJars() throws IOException, InterruptedException {
        Path tree = Files.createDirectories(folder.resolve("a copy & #2"));
        List<String> arguments = run("#!/bin/sh\nfor each; do echo \"$each\"; done\n", Map.of(), script(tree), "inspect", "a model");
        Path real = tree.toRealPath();
        assertEquals(real.resolve("bts-cli/target/bts-cli-0.1.0.jar") + ":" + real.resolve("bts-train/target/bts-train-0.1.0.jar") + ":/home/me/.m2/bts/api-1.0.jar:"
                + real.resolve("bts-core/target/classes") + ":/home/me/.m2/bts-x/y.jar", arguments.get(arguments.indexOf("-cp") + 1));
        assertEquals(List.of("inspect", "a model"), arguments.subList(arguments.size() - 2, arguments.size()));
    }

    @ParameterizedTest
    @CsvSource({"serve, , 1000", "serve, 20, 20", "generate, , none", "train, 20, 20"})
    void threadsOfLibtorchSleepSoonInAServer(String command, String before, String expected) throws IOException, InterruptedException {
        String java = "#!/bin/sh\necho ${GOMP_SPINCOUNT:-none}\n";
        Map<String, String> environment = before == null ? Map.of() : Map.of("GOMP_SPINCOUNT", before);
        Path ofDistribution = Path.of("src", "dist", "bin", "bts").toAbsolutePath();
        for (Path script : List.of(script(Files.createDirectories(folder.resolve("tree"))), ofDistribution)) {
            assertEquals(List.of(expected), run(java, environment, script, command), script.toString());
        }
    }

    /** What decodes has Java's vector module, and so has the command that says how this machine decodes. */
    @ParameterizedTest
    @CsvSource({"generate, seed, true", "bench, --quick, true", "inspect, --machine, true", "inspect, seed, false", "train, seed, false"})
    void theVectorModule(String command, String argument, boolean expected) throws IOException, InterruptedException {
        for (Path script : List.of(script(Files.createDirectories(folder.resolve("tree"))), Path.of("src", "dist", "bin", "bts").toAbsolutePath())) {
            List<String> arguments = run("#!/bin/sh\nfor each; do echo \"$each\"; done\n", Map.of(), script, command, argument);
            assertEquals(expected, arguments.contains("--add-modules=jdk.incubator.vector"), script + ": " + arguments);
        }
    }

    private static Path script(Path tree) throws IOException {
        Path target = Files.createDirectories(tree.resolve("bts-cli/target"));
        Files.createFile(target.resolve("bts-cli-0.1.0.jar"));
        Files.writeString(target.resolve("classpath.txt"),
                "/first tree/bts-train/target/bts-train-0.1.0.jar:/home/me/.m2/bts/api-1.0.jar:/first tree/bts-core/target/classes:/home/me/.m2/bts-x/y.jar");
        return Files.copy(Path.of("..", "bts"), tree.resolve("bts"));
    }

    /** The lines that a launcher prints if Java is this script. */
    private List<String> run(String javaScript, Map<String, String> environment, Path script, String... arguments) throws IOException, InterruptedException {
        Path java = Files.createDirectories(folder.resolve("jdk/bin")).resolve("java");
        Files.writeString(java, javaScript);
        java.toFile().setExecutable(true);
        List<String> command = new ArrayList<>(List.of("bash", script.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().remove("GOMP_SPINCOUNT");
        builder.environment().putAll(environment);
        builder.environment().put("JAVA_HOME", folder.resolve("jdk").toString());
        Process process = builder.start();
        List<String> lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        assertEquals(0, process.waitFor(), lines.toString());
        return lines;
    }
}
