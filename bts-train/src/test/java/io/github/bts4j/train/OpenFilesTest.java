package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What counts as left open by {@link SoakTest}, and what does not. */
@EnabledOnOs(OS.LINUX)
class OpenFilesTest {
    private static final String LIMIT = "/sys/fs/cgroup/memory/memory.limit_in_bytes";
    private static final String MODULES = Path.of(System.getProperty("java.home"), "lib", "modules").toString();

    @TempDir
    private Path folder;

    @Test
    void aFileThatStaysOpenIsNamed() throws IOException {
        Path file = Files.createFile(folder.resolve("model.safetensors")).toRealPath();
        Map<String, Integer> before = OpenFiles.look().counts();
        try (InputStream first = Files.newInputStream(file); InputStream second = Files.newInputStream(file)) {
            OpenFiles open = OpenFiles.look();
            open.lookAgain();
            assertEquals(Map.of(file.toString(), 2), OpenFiles.leaked(before, open.counts()), first + " " + second);
        }
    }

    @Test
    void aFileThatIsOpenForAMomentIsNot() throws IOException {
        Path file = Files.createFile(folder.resolve("model.safetensors")).toRealPath();
        OpenFiles open;
        try (InputStream moment = Files.newInputStream(file)) {
            open = OpenFiles.look();
            assertEquals(1, open.counts().get(file.toString()), moment.toString());
        }
        open.lookAgain();
        assertFalse(open.counts().containsKey(file.toString()));
        try (InputStream moment = Files.newInputStream(file)) { // and what was not open at first does not enter later
            open.lookAgain();
            assertFalse(open.counts().containsKey(file.toString()), moment.toString());
        }
    }

    @Test
    void javaOpensEachOfItsFilesOnce() {
        assertEquals(Map.of(), OpenFiles.leaked(Map.of(), Map.of(LIMIT, 1, MODULES, 1, "/dev/urandom", 1)));
        assertEquals(Map.of(LIMIT, 2), OpenFiles.leaked(Map.of(LIMIT, 1), Map.of(LIMIT, 2, MODULES, 1)));
        assertEquals(Map.of(), OpenFiles.leaked(Map.of(LIMIT, 2), Map.of(LIMIT, 2)));
        assertEquals(Map.of("/system/model.gguf", 1, "socket", 3), OpenFiles.leaked(Map.of("socket", 2, "pipe", 2), Map.of("/system/model.gguf", 1, "socket", 3, "pipe", 2)));
    }
}
