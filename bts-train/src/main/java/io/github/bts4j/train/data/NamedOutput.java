package io.github.bts4j.train.data;

import io.github.bts4j.core.support.FileErrors;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** An output file whose errors name it. */
final class NamedOutput extends OutputStream {
    private final Path file;
    private final OutputStream out;

    NamedOutput(Path file) throws IOException {
        this.file = file;
        this.out = FileErrors.named(file, () -> Files.newOutputStream(file));
    }

    @Override
    public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int length) throws IOException {
        FileErrors.named(file, () -> {
            out.write(bytes, from, length);
            return null;
        });
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
