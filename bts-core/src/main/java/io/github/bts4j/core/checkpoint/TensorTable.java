package io.github.bts4j.core.checkpoint;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.support.Quoted;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Tensors by name, in a fixed order, and the reading of small ones. Immutable, thread-safe. */
final class TensorTable {

    /** The largest tensor that fits into a {@link ByteBuffer}, in bytes. */
    static final long MAX_READ_BYTES = Integer.MAX_VALUE - 8L;

    private static final int SLICE_BYTES = 1 << 20;
    private static final int SHOWN_NAMES = 3;

    private final Path source;
    private final List<TensorEntry> entries;
    private final Map<String, TensorEntry> byName = new LinkedHashMap<>();

    /**
     * Takes tensors with distinct names.
     *
     * @param source the file or folder, for messages
     * @param entries the tensors in order
     */
    TensorTable(Path source, List<TensorEntry> entries) {
        this.source = source;
        this.entries = List.copyOf(entries);
        this.entries.forEach(entry -> byName.put(entry.name(), entry));
    }

    List<TensorEntry> entries() {
        return entries;
    }

    boolean contains(String name) {
        return byName.containsKey(name);
    }

    TensorEntry entry(String name) {
        TensorEntry entry = byName.get(name);
        if (entry == null) {
            String some = entries.stream()
                    .limit(SHOWN_NAMES)
                    .map(known -> Quoted.of(known.name()))
                    .collect(Collectors.joining(", "));
            throw ModelFormatException.inTensor(source, name, "not there; the " + entries.size()
                    + " tensors are " + some + (entries.size() > SHOWN_NAMES ? ", ..." : "")
                    + ": is this the right checkpoint?");
        }
        return entry;
    }

    ByteBuffer read(TensorEntry entry) {
        throwIf(!entry.equals(byName.get(entry.name())), () -> new IllegalArgumentException("entry = " + entry + " is not one of " + source));
        throwIf(entry.length() > MAX_READ_BYTES, () -> new IllegalArgumentException("tensor '" + entry.name() + "' has " + entry.length()
                + " bytes, above the limit of " + MAX_READ_BYTES + " for one buffer; map " + entry.file()
                + " from byte " + entry.offset() + " in pieces instead"));
        ByteBuffer bytes = ByteBuffer.allocate((int) entry.length()).order(ByteOrder.LITTLE_ENDIAN);
        try (FileChannel channel = FileChannel.open(entry.file())) {
            fill(bytes, channel, entry);
        } catch (IOException e) {
            throw ModelFormatException.unreadable(entry.file(), e);
        }
        return bytes.rewind();
    }

    /** In slices: the JDK copies each read into a heap buffer through a direct buffer of the same size. */
    private static void fill(ByteBuffer bytes, FileChannel channel, TensorEntry entry) throws IOException {
        while (bytes.position() < entry.length()) {
            bytes.limit((int) Math.min(entry.length(), bytes.position() + (long) SLICE_BYTES));
            throwIf(channel.read(bytes, entry.offset() + bytes.position()) < 0,
                    () -> ModelFormatException.inTensor(entry.file(), entry.name(), entry.offset() + bytes.position(),
                            "the file ends here, it was longer when it was opened: did another program change it?"));
        }
    }
}
