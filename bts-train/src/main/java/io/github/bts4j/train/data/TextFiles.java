package io.github.bts4j.train.data;

import io.airlift.compress.zstd.ZstdInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** Text files as they lie on disk: plain, or compressed as the end of their name says. Not for instances. */
final class TextFiles {
    private static final int BUFFER_BYTES = 1 << 16;
    private static final List<String> COMPRESSED = List.of(".gz", ".zst");

    private TextFiles() {
    }

    /** The bytes of a file, decompressed on the way where its name ends with .gz or .zst. */
    static InputStream open(Path file) throws IOException {
        InputStream raw = Files.newInputStream(file);
        try {
            String name = file.getFileName().toString();
            if (name.endsWith(".gz")) {
                return new GZIPInputStream(raw, BUFFER_BYTES);
            }
            return name.endsWith(".zst") ? new ZstdInputStream(raw) : raw;
        } catch (IOException | RuntimeException e) {
            raw.close();
            throw e;
        }
    }

    /** Whether a file's name ends so, apart from what says how it is compressed. */
    static boolean endsWith(Path file, String ending) {
        String name = file.getFileName().toString();
        for (String compressed : COMPRESSED) {
            if (name.endsWith(compressed)) {
                name = name.substring(0, name.length() - compressed.length());
            }
        }
        return name.endsWith(ending);
    }
}
