package io.github.bts4j.core.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What is in a folder. */
public final class FolderContent {
    private FolderContent() {}

    /** The SHA-256 of each file by its path in the folder. */
    public static Map<String, String> of(Path folder) throws IOException {
        Map<String, String> content = new TreeMap<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                content.put(folder.relativize(file).toString(), ModelFingerprint.sha256(file));
            }
        }
        return content;
    }
}
