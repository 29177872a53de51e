package io.github.bts4j.core.checkpoint.gguf;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.checkpoint.ModelFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
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
     * Reads the header.
     *
     * @param file a GGUF file
     * @return the file's contents
     * @throws IOException if it cannot be read
     * @throws ModelFormatException if it is not such a file, is damaged, or holds a type that is not read here
     */
    public static GgufFile open(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            return new GgufHeader(file, channel).read();
        }
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
        try (FileChannel channel = FileChannel.open(file)) {
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
                    () -> ModelFormatException.inTensor(file, tensor.name(), at, "the file ends here, it was longer when it was opened"));
        }
        return buffer.array();
    }
}
