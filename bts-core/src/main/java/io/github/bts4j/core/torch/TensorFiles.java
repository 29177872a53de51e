package io.github.bts4j.core.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.checkpoint.SafetensorsFile;
import io.github.bts4j.core.checkpoint.SafetensorsWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads and writes tensors as safetensors files. */
public final class TensorFiles {
    private TensorFiles() {}

    /**
     * Reads every tensor of a file as a view of the mapped file, or a copy on a GPU.
     *
     * @param owner owner of the tensors
     * @param file a safetensors file
     * @return name to tensor
     * @throws IOException if the file cannot be read
     * @throws ModelFormatException if it is malformed
     */
    public static Map<String, NDArray> read(NDManager owner, Path file) throws IOException {
        return new TensorLoader(owner).load(SafetensorsFile.open(file).entries());
    }

    /**
     * Writes tensors to a file atomically.
     *
     * @param file the file; an existing one is replaced at the end
     * @param tensors name to tensor, of any type and on any device
     * @param metadata entries of the file's header
     * @throws IOException if writing fails; an older file is then unchanged
     */
    public static void write(Path file, Map<String, NDArray> tensors, Map<String, String> metadata) throws IOException {
        Map<String, List<NDArray>> single = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> single.put(name, List.of(tensor)));
        writeStacked(file, single, metadata);
    }

    /**
     * Writes tensors to a file, each from parts that are its rows, from the first on.
     *
     * @param file as above
     * @param tensors name to parts, of one type and equal but for their number of rows
     * @param metadata entries of the file's header
     * @throws IOException if writing fails; an older file is then unchanged
     */
    public static void writeStacked(Path file, Map<String, List<NDArray>> tensors, Map<String, String> metadata) throws IOException {
        List<SafetensorsWriter.Tensor> list = new ArrayList<>();
        tensors.forEach((name, parts) -> list.add(new SafetensorsWriter.Tensor(name, Tensors.type(parts.get(0)), shape(parts), sink -> {
            for (NDArray part : parts) {
                for (ByteBuffer bytes : Tensors.bytes(part)) {
                    sink.accept(bytes);
                }
            }
        })));
        SafetensorsWriter.write(file, metadata, list);
    }

    private static List<Long> shape(List<NDArray> parts) {
        long[] shape = parts.get(0).getShape().getShape().clone();
        if (parts.size() > 1) {
            shape[0] = parts.stream().mapToLong(part -> part.getShape().get(0)).sum();
        }
        return Arrays.stream(shape).boxed().toList();
    }
}
