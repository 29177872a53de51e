package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The launcher script in a tree that was copied: it runs the copy's jars, not those of the tree that was built. */
@DisabledOnOs(OS.WINDOWS)
class LauncherTest {
    @TempDir
    private Path folder;

    @Test
    void aCopiedTreeRunsItsOwnJars() throws IOException, InterruptedException {
        Path tree = Files.createDirectories(folder.resolve("a copy & #2"));
        Path script = Files.copy(Path.of("..", "bts"), tree.resolve("bts"));
        Path target = Files.createDirectories(tree.resolve("bts-cli/target"));
        Files.createFile(target.resolve("bts-cli-0.1.0.jar"));
        Files.writeString(target.resolve("classpath.txt"),
                "/first tree/bts-train/target/bts-train-0.1.0.jar:/home/me/.m2/bts/api-1.0.jar:/first tree/bts-core/target/classes:/home/me/.m2/bts-x/y.jar");
        Path java = Files.createDirectories(folder.resolve("jdk/bin")).resolve("java");
        Files.writeString(java, "#!/bin/sh\nfor each; do echo \"$each\"; done\n");
        java.toFile().setExecutable(true);
        ProcessBuilder builder = new ProcessBuilder("bash", script.toString(), "inspect", "a model").redirectErrorStream(true);
        builder.environment().put("JAVA_HOME", folder.resolve("jdk").toString());
        Process process = builder.start();
        List<String> arguments = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        assertEquals(0, process.waitFor(), arguments.toString());
        Path real = tree.toRealPath();
        assertEquals(real.resolve("bts-cli/target/bts-cli-0.1.0.jar") + ":" + real.resolve("bts-train/target/bts-train-0.1.0.jar") + ":/home/me/.m2/bts/api-1.0.jar:"
                + real.resolve("bts-core/target/classes") + ":/home/me/.m2/bts-x/y.jar", arguments.get(arguments.indexOf("-cp") + 1));
        assertEquals(List.of("inspect", "a model"), arguments.subList(arguments.size() - 2, arguments.size()));
    }
}
