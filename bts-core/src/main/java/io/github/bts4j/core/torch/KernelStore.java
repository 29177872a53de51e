package io.github.bts4j.core.torch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.support.Hashes;
import io.github.bts4j.core.support.JsonReader;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The measured choices of a machine, in a small file of the user's cache. A damaged file counts as absent. A lock makes processes that start together wait for the first
 * one's measurement. Thread-safe.
 */
final class KernelStore {
    private static final String LOCK = "kernels.lock";
    private static final long LARGEST = 1 << 16; // bytes
    private static final long LONGEST_WAIT = TimeUnit.SECONDS.toNanos(10);
    private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(5);

    private final Path folder;
    private final String machine;

    /**
     * Choices with their measurements.
     *
     * @param choices the choices
     * @param milliseconds times of both kernels of each operation that was measured, the usual one's first
     */
    record Measured(KernelChoices choices, Map<KernelOperation, double[]> milliseconds) {}

    /** Measures. */
    interface Measurement {
        Measured run();
    }

    KernelStore(Path folder, String machine) {
        this.folder = folder;
        this.machine = machine;
    }

    Path file() {
        return folder.resolve("kernels-" + Hashes.sha256(machine).substring(0, 16) + ".json");
    }

    /**
     * The stored choices, or those of a measurement, which are then stored.
     *
     * @throws IOException if nothing can be stored there; then nothing was measured, because another process could measure something else
     */
    Measured get(Measurement measurement) throws IOException {
        Optional<Measured> stored = read();
        if (stored.isPresent()) {
            return stored.get();
        }
        Files.createDirectories(folder);
        try (FileChannel channel = FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE); FileLock lock = lock(channel)) {
            stored = lock.isValid() ? read() : Optional.empty();
            if (stored.isPresent()) {
                return stored.get();
            }
            write(new Measured(KernelChoices.usual(), Map.of())); // fails before the time is spent
            Measured measured = measurement.run();
            write(measured);
            return measured;
        }
    }

    /** Waits for another process's measurement, but not for ever. */
    private static FileLock lock(FileChannel channel) throws IOException {
        long end = System.nanoTime() + LONGEST_WAIT;
        while (true) {
            FileLock lock = channel.tryLock();
            if (lock != null) {
                return lock;
            }
            if (System.nanoTime() > end) {
                throw new IOException("another process has locked it");
            }
            LockSupport.parkNanos(PAUSE);
        }
    }

    private void write(Measured measured) throws IOException {
        ObjectNode json = JsonReader.object().put("machine", machine).put("kernels", measured.choices.toString());
        ObjectNode times = json.putObject("milliseconds");
        measured.milliseconds.forEach((operation, both) -> times.putArray(operation.label()).add(both[0]).add(both[1]));
        AtomicFiles.write(file(), JsonReader.pretty(json));
    }

    private Optional<Measured> read() {
        try {
            if (!Files.isRegularFile(file()) || Files.size(file()) > LARGEST) {
                return Optional.empty();
            }
            ObjectNode json = JsonReader.STRICT.object(file(), ModelFormatException::new);
            JsonNode kernels = json.path("kernels");
            if (!json.path("machine").asText().equals(machine) || !kernels.isTextual() || json.path("milliseconds").isEmpty()) {
                return Optional.empty();
            }
            Map<KernelOperation, double[]> times = new EnumMap<>(KernelOperation.class);
            json.path("milliseconds").properties().forEach(each -> KernelOperation.named(each.getKey()).ifPresent(operation ->
                    times.put(operation, new double[] {each.getValue().path(0).asDouble(), each.getValue().path(1).asDouble()})));
            KernelChoices choices = KernelChoices.parse(kernels.asText());
            return choices.toString().equals(kernels.asText()) ? Optional.of(new Measured(choices, times)) : Optional.empty(); // an earlier version's has fewer operations
        } catch (IOException | ModelFormatException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
