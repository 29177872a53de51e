package io.github.bts4j.core.checkpoint.gguf;

import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.SafetensorsWriter;
import io.github.bts4j.core.support.ElementType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Writes GGUF files (version 3, little-endian), atomically: see {@link AtomicFiles}. Metadata are texts, {@link Boolean}, {@link Integer} (written as
 * uint32), {@link Float}, and lists of texts, of {@link Integer} (int32) or of {@link Float}. Holds no state.
 */
public final class GgufWriter {
    private static final int ALIGNMENT = 32;
    private static final int VERSION = 3;
    private static final int UINT32 = 4;
    private static final int INT32 = 5;
    private static final int FLOAT32 = 6;
    private static final int BOOL = 7;
    private static final int TEXT = 8;
    private static final int LIST = 9;

    private GgufWriter() {}

    /**
     * A tensor to write.
     *
     * @param name llama.cpp's name
     * @param type the type to write: F32, F16 or Q8_0
     * @param shape the length of each dimension, outermost first; of Q8_0 the last is a multiple of 32
     * @param source supplies the values
     * @param stored the type that the source supplies: FLOAT32, FLOAT16 or BFLOAT16; its chunks are whole blocks
     */
    public record Tensor(String name, GgmlType type, List<Long> shape, SafetensorsWriter.Source source, ElementType stored) {
        private long values() {
            return shape.stream().reduce(1L, Math::multiplyExact);
        }

        private long bytes() {
            return type.byteCount(values());
        }
    }

    /**
     * Writes a file.
     *
     * @param file the target, in a folder that exists
     * @param metadata keys and values, in the order of the file
     * @param tensors the tensors, in the order of the file
     * @throws IOException if writing fails; an older file is then unchanged
     * @throws IllegalArgumentException if a value of the metadata or a type cannot be written, a tensor does not have whole blocks, or a source supplies too few or too many values
     */
    public static void write(Path file, Map<String, Object> metadata, List<Tensor> tensors) throws IOException {
        tensors.forEach(GgufWriter::check);
        byte[] header = header(metadata, tensors);
        AtomicFiles.write(file, channel -> {
            append(channel, ByteBuffer.wrap(header));
            for (Tensor tensor : tensors) {
                append(channel, tensor);
                pad(channel);
            }
        });
    }

    private static void check(Tensor tensor) {
        long last = tensor.shape().isEmpty() ? 1 : tensor.shape().get(tensor.shape().size() - 1);
        if (!GgmlEncoder.writes(tensor.type()) || last % tensor.type().blockSize() != 0) {
            throw new IllegalArgumentException("tensor '" + tensor.name() + "' of shape " + tensor.shape() + " cannot be written as " + tensor.type()
                    + ": F32 and F16 are written, and Q8_0 in rows of whole blocks of 32");
        }
    }

    private static byte[] header(Map<String, Object> metadata, List<Tensor> tensors) {
        Bytes out = new Bytes();
        out.raw("GGUF".getBytes(StandardCharsets.US_ASCII)).int32(VERSION).int64(tensors.size()).int64(metadata.size());
        metadata.forEach((key, value) -> value(out.text(key), key, value));
        long offset = 0;
        for (Tensor tensor : tensors) {
            out.text(tensor.name()).int32(tensor.shape().size());
            for (int i = tensor.shape().size() - 1; i >= 0; i--) {
                out.int64(tensor.shape().get(i));
            }
            out.int32(tensor.type().code()).int64(offset);
            offset += aligned(tensor.bytes());
        }
        return out.padded();
    }

    private static void value(Bytes out, String key, Object value) {
        if (value instanceof List<?> list) {
            Object first = list.isEmpty() ? "" : list.get(0);
            int type = first instanceof Integer ? INT32 : type(key, first);
            out.int32(LIST).int32(type).int64(list.size());
            list.forEach(each -> scalar(out, key, each));
        } else {
            scalar(out.int32(type(key, value)), key, value);
        }
    }

    private static int type(String key, Object value) {
        if (value instanceof Integer) {
            return UINT32;
        } else if (value instanceof Float) {
            return FLOAT32;
        } else if (value instanceof Boolean) {
            return BOOL;
        } else if (value instanceof String) {
            return TEXT;
        }
        throw new IllegalArgumentException("metadata '" + key + "' = " + value + " is of a type that is not written: " + value.getClass().getSimpleName());
    }

    private static void scalar(Bytes out, String key, Object value) {
        switch (type(key, value)) {
            case UINT32 -> out.int32((Integer) value);
            case FLOAT32 -> out.int32(Float.floatToRawIntBits((Float) value));
            case BOOL -> out.raw(new byte[] {(byte) ((Boolean) value ? 1 : 0)});
            default -> out.text((String) value);
        }
    }

    private static void append(FileChannel channel, Tensor tensor) throws IOException {
        long[] written = {0};
        GgmlType stored = GgmlType.valueOf(switch (tensor.stored()) {
            case FLOAT32 -> "F32";
            case FLOAT16 -> "F16";
            case BFLOAT16 -> "BF16";
            default -> throw new IllegalArgumentException("tensor '" + tensor.name() + "' is " + tensor.stored() + ": floating point numbers are written");
        });
        tensor.source().writeTo(chunk -> {
            float[] floats = floats(tensor, stored, chunk);
            written[0] += floats.length;
            if (written[0] <= tensor.values()) {
                append(channel, ByteBuffer.wrap(encoded(tensor, floats)));
            }
        });
        if (written[0] != tensor.values()) {
            throw new IllegalArgumentException("tensor '" + tensor.name() + "' of shape " + tensor.shape() + " was given " + written[0] + " values");
        }
    }

    private static float[] floats(Tensor tensor, GgmlType stored, ByteBuffer chunk) {
        byte[] bytes = new byte[chunk.remaining()];
        chunk.duplicate().get(bytes);
        int count = bytes.length / stored.blockBytes();
        if (bytes.length % stored.blockBytes() != 0 || count % tensor.type().blockSize() != 0) {
            throw new IllegalArgumentException("tensor '" + tensor.name() + "' was given " + bytes.length + " bytes at once, which are no whole blocks");
        }
        float[] floats = new float[count];
        GgmlBlocks.decode(stored, bytes, 0, floats, 0, count);
        return floats;
    }

    private static byte[] encoded(Tensor tensor, float[] floats) {
        try {
            return GgmlEncoder.encode(tensor.type(), floats);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("tensor '" + tensor.name() + "': " + e.getMessage() + (tensor.type() == GgmlType.F16 ? ": write it as q8_0" : ""), e);
        }
    }

    private static void append(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static void pad(FileChannel channel) throws IOException {
        long at = channel.position();
        append(channel, ByteBuffer.allocate((int) (aligned(at) - at)));
    }

    private static long aligned(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /** A little-endian header that grows. */
    private static final class Bytes {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Bytes raw(byte[] bytes) {
            out.writeBytes(bytes);
            return this;
        }

        Bytes int32(int value) {
            return raw(ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
        }

        Bytes int64(long value) {
            return raw(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
        }

        Bytes text(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            return int64(bytes.length).raw(bytes);
        }

        byte[] padded() {
            return raw(new byte[(int) (aligned(out.size()) - out.size())]).out.toByteArray();
        }
    }
}
