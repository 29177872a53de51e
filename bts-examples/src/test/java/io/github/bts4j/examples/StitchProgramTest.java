package io.github.bts4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.stitch.StitchCheckpoint;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program of getting-started.md, compiled and run as it stands there. */
class StitchProgramTest {
    private static final Pattern JAVA = Pattern.compile("```java\\n(import .*?)```", Pattern.DOTALL);

    @TempDir
    private Path folder;

    @Test
    void theExampleCompilesAndRuns() throws Exception {
        Path root = Path.of(System.getProperty("bts4j.testData")).getParent();
        Matcher example = JAVA.matcher(Files.readString(root.resolve("docs/getting-started.md")));
        assertTrue(example.find(), "getting-started.md holds no program");
        Path source = folder.resolve("Stitch.java");
        Files.writeString(source, example.group(1));
        int status = ToolProvider.getSystemJavaCompiler().run(null, null, null, "-cp", System.getProperty("java.class.path"), "-d",
                folder.toString(), source.toString());
        assertEquals(0, status, "the example does not compile");
        Path seed = TinyCheckpoints.write(folder.resolve("seed"), 1);
        Path expert = TinyCheckpoints.write(folder.resolve("expert"), 2);
        Path text = folder.resolve("text.jsonl");
        Files.writeString(text, "{\"text\": \"" + "public static int max(int a, int b) { return a; } ".repeat(60) + "\"}\n");
        PrintStream before = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
            System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
            loader.loadClass("Stitch").getMethod("main", String[].class).invoke(null,
                    (Object) new String[] {seed.toString(), expert.toString(), text.toString(), folder.resolve("stitch").toString()});
        } finally {
            System.setOut(before);
        }
        assertTrue(Files.exists(folder.resolve("stitch").resolve(StitchCheckpoint.DESCRIPTION)));
        assertTrue(!printed.toString(StandardCharsets.UTF_8).isBlank(), "nothing was generated");
    }
}
