package io.github.bts4j.spark;

import ai.djl.util.Utils;
import io.github.bts4j.core.UnsupportedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The folder into which libtorch is unpacked on each machine. */
final class NativeCache {
    private static final long NEEDED = 500L << 20;
    private static final String FIX = ": set spark.executorEnv.DJL_CACHE_DIR to a local folder with 500 MiB";

    private static volatile boolean checked;

    private NativeCache() {}

    /** Refuses a folder that cannot be written to, or has too little space, unless libtorch is in it already. Once in each process. */
    static void check() {
        if (!checked) {
            check(Utils.getEngineCacheDir("pytorch"), NEEDED);
            checked = true;
        }
    }

    static void check(Path folder, long needed) {
        try {
            if (Files.isDirectory(folder) && isThere(folder)) {
                return; // perhaps read-only, of an image
            }
            Files.createDirectories(folder);
            if (!Files.isWritable(folder)) {
                throw new IOException("no permission");
            }
            long free = Files.getFileStore(folder).getUsableSpace();
            if (free < needed) {
                throw new UnsupportedException("libtorch is unpacked into " + folder + ", which has " + (free >> 20) + " MiB free, of " + (needed >> 20) + " that it takes" + FIX);
            }
        } catch (IOException e) {
            throw new UnsupportedException("libtorch is unpacked into " + folder + ", which cannot be written to (" + e.getMessage() + ")" + FIX, e);
        }
    }

    /** Whether a library is there already. */
    private static boolean isThere(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder, 2)) {
            return files.anyMatch(file -> file.getFileName().toString().contains("torch_cpu"));
        }
    }
}
