package io.github.bts4j.core.checkpoint;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.support.Problems;
import io.github.bts4j.core.support.Quoted;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/**
 * Writes safetensors files of any size, atomically: see {@link AtomicFiles}.
 *
 * <p>The bytes depend on the arguments alone. Tensors are stored in the order in which they are given, metadata sorted
 * by key. The header is padded with spaces so that the data starts at a multiple of eight bytes; give tensors of wide
 * types first (as the reference implementation does) to have each tensor aligned to its element size.
 *
 * <p>Thread-safe; holds no state.
 */
public final class SafetensorsWriter {

    private static final JsonFactory FACTORY =
            JsonFactory.builder().disable(JsonWriteFeature.WRITE_HEX_UPPER_CASE).build();

    private SafetensorsWriter() {}

    /** Receives the bytes of one tensor. Valid only during {@link Source#writeTo}. */
    @FunctionalInterface
    public interface Sink {

        /**
         * Appends the bytes between the buffer's position and limit.
         *
         * @param chunk some of the tensor's bytes, stored little-endian; left unchanged, free for reuse afterwards
         * @throws IOException if writing fails, because the disk is full for example
         * @throws IllegalArgumentException if these are more bytes than the tensor has
         */
        void accept(ByteBuffer chunk) throws IOException;
    }

    /** Supplies the bytes of one tensor, in any number of chunks. */
    @FunctionalInterface
    public interface Source {

        /**
         * Supplies all bytes of the tensor, in order.
         *
         * @param sink takes the chunks
         * @throws IOException if reading or writing fails; the target file is then unchanged
         */
        void writeTo(Sink sink) throws IOException;

        /**
         * A source that is in memory already.
         *
         * @param bytes the bytes between position and limit, stored little-endian; not copied, left unchanged
         * @return a source of these bytes, which can be read several times
         */
        static Source of(ByteBuffer bytes) {
            ByteBuffer whole = bytes.duplicate();
            return sink -> sink.accept(whole.duplicate());
        }
    }

    /**
     * A tensor to write.
     *
     * @param name the tensor's name
     * @param type the element type
     * @param shape the length of each dimension, outermost first; empty for a single number
     * @param source supplies the product of {@code shape} times {@link ElementType#bytes()} bytes
     */
    public record Tensor(String name, ElementType type, List<Long> shape, Source source) {

        /**
         * Checks the parts for null and copies the shape.
         *
         * @param name the tensor's name
         * @param type the element type
         * @param shape the length of each dimension
         * @param source supplies the bytes
         */
        public Tensor {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(type, "type");
            shape = List.copyOf(shape);
            Objects.requireNonNull(source, "source");
        }
    }

    /**
     * Writes a file atomically.
     *
     * @param file the target, in a folder that exists
     * @param metadata free text by key; may be empty
     * @param tensors the tensors, in the order of the file
     * @throws IOException if the file cannot be written, or a source fails
     * @throws IllegalArgumentException if names repeat, are reserved or no valid Unicode, a name exceeds 50,000 or a
     *     metadata value 20,000,000 characters, a shape is negative, too large or of more than 64 dimensions, the header
     *     exceeds 100,000,000 bytes, or a source supplies too many or too few bytes
     */
    public static void write(Path file, Map<String, String> metadata, List<Tensor> tensors) throws IOException {
        List<Tensor> fixed = List.copyOf(tensors);
        requireValid(metadata, fixed);
        byte[] header = header(metadata, fixed);
        AtomicFiles.write(file, channel -> {
            append(channel, ByteBuffer.wrap(header));
            for (Tensor tensor : fixed) {
                try (CountingSink sink = new CountingSink(channel, tensor)) {
                    tensor.source().writeTo(sink);
                    sink.requireComplete();
                }
            }
        });
    }

    private static void requireValid(Map<String, String> metadata, List<Tensor> tensors) {
        Problems problems = new Problems();
        Set<String> names = new HashSet<>();
        long total = 0;
        for (Tensor tensor : tensors) {
            String shown = "tensor " + Quoted.of(tensor.name());
            problems.addIf(!names.add(tensor.name()), shown + " is given twice");
            problems.addIf(tensor.name().equals(HeaderParser.METADATA), shown + " has a name that the format reserves");
            problems.addIf(tensor.shape().size() > HeaderParser.MAX_DIMENSIONS,
                    shown + " has " + tensor.shape().size() + " dimensions, above the limit of " + HeaderParser.MAX_DIMENSIONS);
            requireText(tensor.name(), JsonCursor.MAX_KEY, shown, problems);
            try {
                total = Math.addExact(total, tensor.type().byteCount(tensor.shape()));
            } catch (IllegalArgumentException e) {
                problems.add(shown + ": " + e.getMessage());
            } catch (ArithmeticException e) {
                problems.add(
                        shown + ": shape = " + tensor.shape() + " takes the file above " + Long.MAX_VALUE + " bytes");
            }
        }
        metadata.forEach((key, value) -> {
            String shown = Quoted.of(key);
            requireText(key, JsonCursor.MAX_KEY, "metadata key " + shown, problems);
            requireText(value, JsonCursor.MAX_STRING, "metadata value of " + shown, problems);
        });
        problems.throwInOneLine("");
    }

    private static void requireText(String text, int limit, String shown, Problems problems) {
        problems.addIf(text.length() > limit, shown + " has " + text.length() + " characters, above the limit of " + limit);
        try {
            StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
        } catch (CharacterCodingException e) {
            problems.add(shown + " holds half a character (a lone surrogate)");
        }
    }

    /** The header, preceded by its length in eight bytes and padded with spaces to a multiple of eight. */
    private static byte[] header(Map<String, String> metadata, List<Tensor> tensors) throws IOException {
        byte[] json = json(metadata, tensors).getBytes(StandardCharsets.UTF_8);
        int length = json.length + Math.floorMod(-json.length, SafetensorsHeader.LENGTH_BYTES);
        throwIf(length > SafetensorsHeader.MAX_BYTES, () -> new IllegalArgumentException("header length = " + length + " bytes, above the limit of "
                + SafetensorsHeader.MAX_BYTES + ": write several files"));
        byte[] header = new byte[SafetensorsHeader.LENGTH_BYTES + length];
        Arrays.fill(header, (byte) ' ');
        ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putLong(length).put(json);
        return header;
    }

    private static String json(Map<String, String> metadata, List<Tensor> tensors) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = FACTORY.createGenerator(text)) {
            json.writeStartObject();
            if (!metadata.isEmpty()) {
                json.writeObjectFieldStart(HeaderParser.METADATA);
                for (Map.Entry<String, String> entry : new TreeMap<>(metadata).entrySet()) {
                    json.writeStringField(entry.getKey(), entry.getValue());
                }
                json.writeEndObject();
            }
            long begin = 0;
            for (Tensor tensor : tensors) {
                long end = begin + tensor.type().byteCount(tensor.shape());
                json.writeObjectFieldStart(tensor.name());
                json.writeStringField("dtype", tensor.type().fileName());
                json.writeFieldName("shape");
                long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
                json.writeArray(shape, 0, shape.length);
                json.writeFieldName("data_offsets");
                json.writeArray(new long[] {begin, end}, 0, 2);
                json.writeEndObject();
                begin = end;
            }
            json.writeEndObject();
        }
        return text.toString();
    }

    private static void append(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** Passes on exactly as many bytes as the tensor has, in slices: see {@link TensorTable}. */
    private static final class CountingSink implements Sink, AutoCloseable {

        private static final int SLICE_BYTES = 1 << 20;

        private final FileChannel channel;
        private final Tensor tensor;
        private final long expected;
        private long written;
        private boolean closed;

        CountingSink(FileChannel channel, Tensor tensor) {
            this.channel = channel;
            this.tensor = tensor;
            this.expected = tensor.type().byteCount(tensor.shape());
        }

        @Override
        public void accept(ByteBuffer chunk) throws IOException {
            throwIf(closed, () -> new IllegalStateException("tensor '" + tensor.name() + "' is written already"));
            throwIf(chunk.remaining() > expected - written, () -> mismatch("more than " + expected));
            for (int at = chunk.position(); at < chunk.limit(); at += SLICE_BYTES) {
                append(channel, chunk.slice(at, Math.min(SLICE_BYTES, chunk.limit() - at)));
            }
            written += chunk.remaining();
        }

        void requireComplete() {
            throwIf(written != expected, () -> mismatch(written + ""));
        }

        @Override
        public void close() {
            closed = true;
        }

        private IllegalArgumentException mismatch(String supplied) {
            return new IllegalArgumentException("the source of tensor " + Quoted.of(tensor.name())
                    + " supplies " + supplied + " bytes, but " + tensor.type().fileName() + ' ' + tensor.shape() + " takes "
                    + expected);
        }
    }
}
