package io.github.bts4j.core.checkpoint.gguf;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.checkpoint.GgufParts;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A GGUF file (versions 2 and 3, little-endian): its metadata and its tensors. Reads only the header; values are read on demand.
 *
 * <p>Files are untrusted: opening one gives either tensors that are inside it, or a {@link ModelFormatException} that names file
 * and byte. Immutable and thread-safe. No file is held open.
 */
public final class GgufFile {
    /** The maximum number of values per call of {@link #dequantize}. */
    public static final int PIECE_VALUES = 1 << 20;


    private final Path file;
    private final GgufMetadata metadata;
    private final Map<String, GgufTensor> tensors;

    GgufFile(Path file, GgufMetadata metadata, Map<String, GgufTensor> tensors) {
        this.file = file;
        this.metadata = metadata;
        this.tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    }

    /**
     * Reads the header; of a split model those of all parts, whose tensors are then together.
     *
     * @param file a GGUF file, or the first part of a split one
     * @return the file's contents
     * @throws IOException if it cannot be read
     * @throws ModelFormatException if it is not such a file, is damaged, holds a type that is not read here, or parts are missing
     */
    public static GgufFile open(Path file) throws IOException {
        GgufFile first = openPart(file);
        int count = first.metadata.integer("split.count").orElse(1);
        GgufParts parts = GgufParts.of(file);
        throwIf(Math.max(count, 1) != parts.files().size(), () -> new ModelFormatException(file, "metadata 'split.count' = " + count + ", but by its name the file is one of "
                + parts.files().size() + ": the parts of a split model are called NAME-00001-of-00003.gguf and so on"));
        parts.requireFirst(file);
        Map<String, GgufTensor> tensors = new LinkedHashMap<>(first.tensors);
        for (int i = 1; i < parts.files().size(); i++) {
            addPart(parts.files().get(i), i, count, tensors);
        }
        int total = first.metadata.integer("split.tensors.count").orElse(tensors.size());
        throwIf(total != tensors.size(), () -> new ModelFormatException(file, "metadata 'split.tensors.count' = " + total + ", but the parts hold " + tensors.size() + " tensors: are all of one model?"));
        return new GgufFile(file, first.metadata, tensors);
    }

    private static GgufFile openPart(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            return new GgufHeader(file, channel).read();
        }
    }

    private static void addPart(Path file, int number, int count, Map<String, GgufTensor> tensors) throws IOException {
        throwIf(!Files.exists(file), () -> new ModelFormatException(file, "does not exist, and is part " + (number + 1) + " of " + count + " of the model: download all of them into one folder"));
        GgufFile part = openPart(file);
        int no = part.metadata.integer("split.no").orElse(-1);
        int of = part.metadata.integer("split.count").orElse(-1);
        throwIf(no != number || of != count, () -> new ModelFormatException(file, "metadata 'split.no' = " + no + " and 'split.count' = " + of + ", expected " + number + " and " + count
                + ": was the file renamed?"));
        part.tensors.forEach((name, tensor) -> throwIf(tensors.put(name, tensor) != null, () -> new ModelFormatException(file, "tensor '" + name + "' is in an earlier part too")));
    }

    /** {@return the file's path} */
    public Path file() {
        return file;
    }

    /** {@return the keys and values} */
    public GgufMetadata metadata() {
        return metadata;
    }

    /** {@return the tensors by llama.cpp's names, in the file's order, not modifiable} */
    public Map<String, GgufTensor> tensors() {
        return tensors;
    }

    /** Receives the values of a tensor, piece by piece and in order. */
    @FunctionalInterface
    public interface FloatSink {
        /**
         * Receives a piece.
         *
         * @param at the number of values before this piece
         * @param values the values, in row-major order; valid until the call returns
         */
        void accept(long at, float[] values);
    }

    /**
     * Dequantises a tensor, at most {@link #PIECE_VALUES} values at a time.
     *
     * @param tensor one of {@link #tensors}
     * @param sink takes the values
     * @throws IOException if the file cannot be read
     * @throws ModelFormatException if it has become shorter
     */
    public void dequantize(GgufTensor tensor, FloatSink sink) throws IOException {
        GgmlType type = tensor.type();
        long blocks = tensor.length() / type.blockBytes();
        int most = PIECE_VALUES / type.blockSize();
        try (FileChannel channel = FileChannel.open(tensor.file())) {
            for (long done = 0; done < blocks; done += most) {
                int count = (int) Math.min(most, blocks - done);
                byte[] bytes = read(channel, tensor, done * type.blockBytes(), count * type.blockBytes());
                sink.accept(done * type.blockSize(), decoded(type, bytes, count));
            }
        }
    }

    private static float[] decoded(GgmlType type, byte[] bytes, int blocks) {
        float[] floats = new float[blocks * type.blockSize()];
        int parts = Math.min(blocks, Runtime.getRuntime().availableProcessors());
        IntStream.range(0, parts).parallel().forEach(part -> {
            int first = (int) ((long) blocks * part / parts);
            int last = (int) ((long) blocks * (part + 1) / parts);
            GgmlBlocks.decode(type, bytes, first * type.blockBytes(), floats, first * type.blockSize(), last - first);
        });
        return floats;
    }

    private byte[] read(FileChannel channel, GgufTensor tensor, long from, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length);
        while (buffer.hasRemaining()) {
            long at = tensor.offset() + from + buffer.position();
            throwIf(channel.read(buffer, at) < 0,
                    () -> ModelFormatException.inTensor(tensor.file(), tensor.name(), at, "the file ends here, it was longer when it was opened"));
        }
        return buffer.array();
    }
}
