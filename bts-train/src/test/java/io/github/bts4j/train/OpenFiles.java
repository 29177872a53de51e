package io.github.bts4j.train;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What this process has open, and for how long. On Linux.
 *
 * <p>A count of the descriptors at one moment would not do: HotSpot's compiler threads open the container's {@code memory.limit_in_bytes} and {@code memory.stat}
 * (cgroup version 1; {@code memory.max} in version 2) for a moment, hundreds of times in ten seconds, when they decide whether another compiler thread is worth starting.
 */
final class OpenFiles {
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

    /** What the Java machine opens by itself: the kernel's views of the machine, its own files, and jars when the first of their classes is needed. */
    private static final List<Path> OF_JAVA = Stream.concat(Stream.of("/proc", "/sys", "/dev", System.getProperty("java.home")),
            Stream.of(System.getProperty("java.class.path").split(File.pathSeparator)).filter(path -> path.endsWith(".jar"))).map(OpenFiles::real).toList();

    private final Map<String, String> held;

    private OpenFiles(Map<String, String> held) {
        this.held = held;
    }

    /** A first look. */
    static OpenFiles look() throws IOException {
        return new OpenFiles(targets());
    }

    /** Another look: forgets what was closed since the one before. */
    void lookAgain() throws IOException {
        held.entrySet().retainAll(targets().entrySet());
    }

    /** How often each file was open in every look. Sockets and pipes count together: the kernel's numbers for them say nothing. */
    SortedMap<String, Integer> counts() {
        SortedMap<String, Integer> counts = new TreeMap<>();
        held.values().forEach(target -> counts.merge(target.replaceAll("^(socket|pipe):\\[\\d+]$", "$1"), 1, Integer::sum));
        return counts;
    }

    /**
     * The files that are open more often than before, and how often they are open: a leak. What the Java machine opens by itself may be open once; it opens some
     * files late and keeps them, but none of them twice. A leak in it would go on.
     */
    static SortedMap<String, Integer> leaked(Map<String, Integer> before, Map<String, Integer> after) {
        SortedMap<String, Integer> leaked = new TreeMap<>(after);
        leaked.entrySet().removeIf(file -> file.getValue() <= Math.max(isOfJava(file.getKey()) ? 1 : 0, before.getOrDefault(file.getKey(), 0)));
        return leaked;
    }

    private static Path real(String path) {
        try {
            return Path.of(path).toRealPath(); // as the kernel names it
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isOfJava(String target) {
        return target.startsWith("/") && OF_JAVA.stream().anyMatch(Path.of(target)::startsWith);
    }

    /** What each descriptor points to, without the one that lists them. */
    private static Map<String, String> targets() throws IOException {
        List<Path> descriptors;
        try (Stream<Path> listed = Files.list(DESCRIPTORS)) {
            descriptors = listed.toList();
        }
        Map<String, String> targets = new TreeMap<>();
        for (Path descriptor : descriptors) {
            try {
                targets.put(descriptor.getFileName().toString(), Files.readSymbolicLink(descriptor).toString());
            } catch (FileSystemException e) { // closed since it was listed
                continue;
            }
        }
        return targets;
    }
}
