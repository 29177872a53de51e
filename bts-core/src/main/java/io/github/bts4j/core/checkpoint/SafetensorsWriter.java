package io.github.bts4j.core.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** Streams tensors into a safetensors file that appears whole or not at all. Not for instances. */
public final class SafetensorsWriter {
    private static final int ALIGNMENT = 8;

    private SafetensorsWriter() {}

    /**
     * A tensor to write.
     *
     * @param name its name
     * @param type its element type
     * @param shape its dimensions
     * @param bytes gives its bytes in little-endian order, in pieces, so that tensors above 2 GiB can be written
     */
    public record Tensor(String name, TensorType type, List<Long> shape, Supplier<Iterable<ByteBuffer>> bytes) {
        long length() {
            return shape.stream().reduce((long) type.bytes(), Math::multiplyExact);
        }
    }

    /**
     * Writes tensors in the given order.
     *
     * @param file the file; one that is there is replaced at the end
     * @param metadata entries of the header
     * @param tensors the tensors
     * @throws IOException if writing fails; an older file stays as it was
     * @throws IllegalArgumentException if two tensors share a name, or one gives more or fewer bytes than its shape implies
     */
    public static void write(Path file, Map<String, String> metadata, List<Tensor> tensors) throws IOException {
        byte[] header = header(metadata, tensors);
        AtomicFiles.write(file, (AtomicFiles.Content) channel -> {
            ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).flip();
            AtomicFiles.writeFully(channel, length);
            AtomicFiles.writeFully(channel, ByteBuffer.wrap(header));
            for (Tensor tensor : tensors) {
                writeTensor(channel, tensor);
            }
        });
    }

    private static void writeTensor(FileChannel channel, Tensor tensor) throws IOException {
        long start = channel.position();
        for (ByteBuffer piece : tensor.bytes().get()) {
            AtomicFiles.writeFully(channel, piece);
        }
        long written = channel.position() - start;
        if (written != tensor.length()) {
            throw new IllegalArgumentException("Tensor '" + tensor.name() + "' gave " + written + " bytes, its shape " + tensor.shape() + " of "
                    + tensor.type() + " takes " + tensor.length());
        }
    }

    private static byte[] header(Map<String, String> metadata, List<Tensor> tensors) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode root = mapper.createObjectNode();
        if (!metadata.isEmpty()) {
            ObjectNode node = root.putObject("__metadata__");
            metadata.forEach(node::put);
        }
        Set<String> names = new HashSet<>(Set.of("__metadata__"));
        long at = 0;
        for (Tensor tensor : tensors) {
            if (!names.add(tensor.name())) {
                throw new IllegalArgumentException("Two tensors are called '" + tensor.name() + "'");
            }
            ObjectNode entry = root.putObject(tensor.name());
            entry.put("dtype", tensor.type().name());
            ArrayNode shape = entry.putArray("shape");
            tensor.shape().forEach(shape::add);
            entry.putArray("data_offsets").add(at).add(at + tensor.length());
            at = Math.addExact(at, tensor.length());
        }
        byte[] json = mapper.writeValueAsBytes(root);
        byte[] padded = java.util.Arrays.copyOf(json, (json.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
        java.util.Arrays.fill(padded, json.length, padded.length, (byte) ' ');
        return padded;
    }
}
