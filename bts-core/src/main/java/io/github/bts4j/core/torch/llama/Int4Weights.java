package io.github.bts4j.core.torch.llama;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.checkpoint.gguf.GgmlBlocks;
import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Tensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/** Quantises matrices on load, one at a time to save memory: those of the layers to Q4_0, embeddings and head to Q8_0. Matrices whose rows are no whole blocks stay as they are. */
final class Int4Weights {
    private static final int SLICE_BYTES = 1 << 22;

    private Int4Weights() {
    }

    static Map<String, NDArray> load(NDManager owner, Set<String> names, ElementType type, Int8Weights.Source source) throws IOException {
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        BlockWeights blocks = new BlockWeights(owner);
        for (String name : names) {
            try (NDManager scope = owner.newSubManager()) {
                NDArray stored = source.load(scope, Set.of(name)).get(name);
                GgmlType to = type(name);
                if (stored.getShape().dimension() == 2 && stored.getShape().get(1) % to.blockSize() == 0) {
                    tensors.put(name, quantised(owner, scope, stored, to));
                    tensors.put(name + BlockWeights.TYPE, blocks.number(to));
                } else {
                    tensors.put(name, Tensors.keep(owner, stored, type));
                }
            }
        }
        return tensors;
    }

    /** The type that a matrix is rounded to. */
    static GgmlType type(String name) {
        return name.startsWith("model.layers.") ? GgmlType.Q4_0 : GgmlType.Q8_0;
    }

    private static NDArray quantised(NDManager owner, NDManager scope, NDArray matrix, GgmlType to) {
        long rows = matrix.getShape().get(0);
        long columns = matrix.getShape().get(1);
        NDArray bytes = Tensors.zeros(scope, ElementType.UINT8, Device.cpu(), rows, to.byteCount(columns));
        ElementType stored = Tensors.type(matrix);
        int rowBytes = Math.toIntExact(columns * stored.bytes());
        long at = 0;
        for (ByteBuffer slice : Tensors.bytes(matrix, Math.max(1, SLICE_BYTES / rowBytes) * rowBytes)) {
            float[] values = floats(stored, slice);
            ByteBuffer encoded = ByteBuffer.allocateDirect((int) to.byteCount(values.length));
            encode(to, values, (int) columns, encoded);
            Tensors.writeBytes(bytes, at, encoded);
            at += encoded.limit();
        }
        return Tensors.place(owner, bytes, ElementType.UINT8, owner.getDevice());
    }

    private static float[] floats(ElementType stored, ByteBuffer slice) {
        byte[] raw = new byte[slice.remaining()];
        slice.duplicate().get(raw);
        GgmlType type = GgmlType.valueOf(stored.fileName());
        float[] values = new float[raw.length / stored.bytes()];
        GgmlBlocks.decode(type, raw, 0, values, 0, values.length);
        return values;
    }

    private static void encode(GgmlType to, float[] values, int columns, ByteBuffer into) {
        int rowBytes = (int) to.byteCount(columns);
        IntStream.range(0, values.length / columns).parallel().forEach(row -> {
            float[] one = new float[columns];
            System.arraycopy(values, row * columns, one, 0, columns);
            into.put(row * rowBytes, GgmlBlocks.encode(to, one));
        });
    }
}
