package io.github.bts4j.core.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.bts4j.core.checkpoint.SafetensorsFile;
import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import io.github.bts4j.core.checkpoint.gguf.GgufFile;
import io.github.bts4j.core.checkpoint.gguf.GgufTensor;
import io.github.bts4j.core.support.ElementType;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Dequantisation in libtorch against the values that the Python package gguf makes of the same blocks. */
class BlockKernelsTest {
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"), "gguf");
    private static final int MOST_BLOCKS = 8192; // of a pass in blocks.py

    static Stream<GgmlType> types() {
        return Arrays.stream(GgmlType.values()).filter(GgmlType::isMultiplied);
    }

    @ParameterizedTest
    @MethodSource("types")
    void valuesAreThoseOfTheReferenceInEveryPass(GgmlType type) throws IOException {
        GgufTensor tensor = GgufFile.open(DATA.resolve("types.gguf")).tensors().get(type.name().toLowerCase(Locale.ROOT));
        SafetensorsFile golden = SafetensorsFile.open(DATA.resolve("types.safetensors"));
        float[] expected = new float[(int) tensor.elements()];
        golden.read(golden.entry(tensor.name())).asFloatBuffer().get(expected);
        byte[] stored = new byte[(int) tensor.length()];
        try (RandomAccessFile in = new RandomAccessFile(tensor.file().toFile(), "r")) {
            in.seek(tensor.offset());
            in.readFully(stored);
        }
        int times = 2 + MOST_BLOCKS * type.blockSize() / expected.length;
        ByteBuffer repeated = ByteBuffer.allocate(times * stored.length);
        for (int i = 0; i < times; i++) {
            repeated.put(stored);
        }
        int rows = Math.toIntExact(tensor.shape().get(0));
        BlockKernels kernels = Kernels.of(BlockKernels.class);
        try (NDManager manager = Torch.manager().newSubManager()) {
            NDArray blocks = manager.create(repeated.flip(), new Shape((long) times * rows, stored.length / rows), DataType.UINT8);
            for (ElementType dtype : new ElementType[] {ElementType.FLOAT32, ElementType.BFLOAT16}) {
                NDArray result = kernels.dequantizeBlocks(manager, Autograd.OFF, blocks, type.code(), dtype);
                assertEquals(new Shape((long) times * rows, tensor.shape().get(1)), result.getShape());
                float[] values = Tensors.toFloats(result);
                float[] rounded = dtype == ElementType.FLOAT32 ? expected : Tensors.toFloats(Tensors.copy(manager, Tensors.of(manager, expected, expected.length), dtype));
                for (int i = 0; i < times; i++) {
                    assertArrayEquals(rounded, Arrays.copyOfRange(values, i * expected.length, (i + 1) * expected.length), "copy " + i);
                }
            }
        }
    }
}
