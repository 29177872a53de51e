package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Failures of writing, with the file that they concern. */
class NamedChannelTest {
    /** A device that is always full. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void aFullDiskIsToldWithTheFile() throws IOException {
        Path full = Path.of("/dev/full");
        try (NamedChannel channel = NamedChannel.open(full)) {
            String message = assertThrows(IOException.class, () -> channel.writeFully(ByteBuffer.allocate(8), 0)).getMessage();
            assertEquals("/dev/full: No space left on device", message);
        }
    }
}
