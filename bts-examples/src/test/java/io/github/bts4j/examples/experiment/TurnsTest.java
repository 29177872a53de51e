package io.github.bts4j.examples.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TurnsTest {
    private static final String HOLD = """
            import java.nio.channels.FileChannel;
            import java.nio.file.*;

            class Hold {
                public static void main(String[] arguments) throws Exception {
                    try (FileChannel channel = FileChannel.open(Path.of(arguments[0]), StandardOpenOption.CREATE, StandardOpenOption.WRITE); var lock = channel.lock()) {
                        System.out.println("held");
                        System.in.read();
                    }
                }
            }
            """;

    @TempDir
    private Path folder;

    private final List<String> done = new ArrayList<>();

    private Turns.Piece piece(String name, String after, boolean result) {
        return new Turns.Piece(name, () -> after.isEmpty() || done.contains(after), () -> {
            done.add(name);
            return result;
        });
    }

    @Test
    void whatIsNotReadyComesLater() throws IOException {
        assertTrue(new Turns(folder).all(List.of(piece("retrained", "removed", true), piece("removed", "", true), piece("soup", "", true))));
        assertEquals(List.of("removed", "soup", "retrained"), done);
    }

    @Test
    void nothingFollowsAnInterruption() throws IOException {
        assertFalse(new Turns(folder).all(List.of(piece("first", "", true), piece("interrupted", "", false), piece("last", "", true))));
        assertEquals(List.of("first", "interrupted"), done);
    }

    @Test
    void whatAnotherProcessWorksOnIsLeftToIt() throws IOException {
        Path source = Files.writeString(folder.resolve("Hold.java"), HOLD);
        Process other = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), source.toString(), folder.resolve("taken").toString()).start();
        try {
            assertEquals("held", other.inputReader().readLine());
            Turns.Piece end = new Turns.Piece("end", () -> true, () -> {
                other.getOutputStream().close(); // lets the other process end
                return true;
            });
            assertTrue(new Turns(folder).all(List.of(piece("taken", "", true), piece("free", "", true), end)));
            assertEquals(List.of("free", "taken"), done);
        } finally {
            other.destroy();
        }
    }
}
