package io.github.bts4j.core.checkpoint.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.checkpoint.SafetensorsFile;
import io.github.bts4j.core.checkpoint.TensorEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** GGUF files that the Python package gguf wrote ({@code src-test-data/tools/gguf_golden.py}), against its own dequantisation. */
class GgufFileTest {
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"), "gguf");

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource(GgmlType.class)
    void everyTypeIsDequantisedAsGgufDoes(GgmlType type) throws IOException {
        GgufFile file = GgufFile.open(DATA.resolve("types.gguf"));
        GgufTensor tensor = file.tensors().get(type.name().toLowerCase(java.util.Locale.ROOT));
        SafetensorsFile golden = SafetensorsFile.open(DATA.resolve("types.safetensors"));
        TensorEntry expected = golden.entry(tensor.name());
        assertEquals(type, tensor.type());
        assertEquals(expected.shape(), tensor.shape());
        float[] values = new float[(int) expected.elements()];
        golden.read(expected).asFloatBuffer().get(values);
        assertArrayEquals(values, floats(file, tensor)); // the same float32 operations in the same order: bit for bit
    }

    private static float[] floats(GgufFile file, GgufTensor tensor) throws IOException {
        float[] floats = new float[(int) tensor.elements()];
        file.dequantize(tensor, (at, values) -> System.arraycopy(values, 0, floats, (int) at, values.length));
        return floats;
    }

    @Test
    void metadataHasItsTypes() throws IOException {
        GgufMetadata metadata = GgufFile.open(DATA.resolve("llama2-gqa-f32.gguf")).metadata();
        assertEquals("llama", metadata.text("general.architecture").orElseThrow());
        assertEquals(8, metadata.requiredInteger("llama.attention.head_count"));
        assertEquals(1e-5, metadata.number("llama.attention.layer_norm_rms_epsilon").orElseThrow());
        assertEquals(2048, GgufFile.open(DATA.resolve("gpt-2.gguf")).metadata().list("tokenizer.ggml.tokens", String.class).orElseThrow().size());
        assertThrows(ModelFormatException.class, () -> metadata.text("llama.block_count"));
        assertThrows(ModelFormatException.class, () -> metadata.list("general.name", String.class));
        assertThrows(ModelFormatException.class, () -> metadata.requiredInteger("llama.no_such_key"));
    }

    @Test
    void isToldFromOtherFilesByItsFirstBytes() throws IOException {
        assertTrue(Checkpoint.isGguf(DATA.resolve("types.gguf")));
        assertFalse(Checkpoint.isGguf(DATA.resolve("types.safetensors")));
        assertFalse(Checkpoint.isGguf(DATA));
        assertFalse(Checkpoint.isGguf(folder.resolve("missing")));
    }

    @Test
    void damageIsNamed() throws IOException {
        byte[] whole = Files.readAllBytes(DATA.resolve("types.gguf"));
        String cut = refused(Arrays.copyOf(whole, whole.length - 100));
        assertTrue(cut.contains("tensor 'iq4_xs'") && cut.contains("downloaded whole"), cut);
        assertTrue(refused(new byte[40]).contains("is not a GGUF file"));
        assertTrue(refused(changed(whole, 4, 9)).contains("version = 9 is not supported"));
        String unknown = refused(typed(whole, 16));
        assertTrue(unknown.contains("has type IQ2_XXS, which is not read here") && unknown.contains("Q4_K"), unknown);
        assertTrue(refused(changed(whole, 8, 1 << 30)).contains("number of tensors = 1073741824, but the file has"));
    }

    @Test
    void aSplitModelIsReadAsOne() throws IOException {
        Path first = DATA.resolve("llama2-gqa-q4-00001-of-00003.gguf");
        GgufFile whole = GgufFile.open(DATA.resolve("llama2-gqa-q4.gguf"));
        GgufFile split = GgufFile.open(first);
        assertEquals(whole.tensors().keySet(), split.tensors().keySet());
        assertEquals(3, split.tensors().values().stream().map(GgufTensor::file).distinct().count());
        for (GgufTensor tensor : whole.tensors().values()) {
            assertEquals(tensor.shape(), split.tensors().get(tensor.name()).shape());
            assertArrayEquals(floats(whole, tensor), floats(split, split.tensors().get(tensor.name())), tensor.name());
        }
        ModelFingerprint fingerprint = ModelFingerprint.of(first);
        assertEquals(List.of("model-00001-of-00003.gguf", "model-00002-of-00003.gguf", "model-00003-of-00003.gguf"), List.copyOf(fingerprint.files().keySet()));
        assertEquals(ModelFingerprint.sha256(DATA.resolve("llama2-gqa-q4-00003-of-00003.gguf")), fingerprint.files().get("model-00003-of-00003.gguf"));
    }

    @Test
    void whatIsWrongWithASplitModelIsNamed() throws IOException {
        for (int part = 1; part <= 3; part++) {
            Files.copy(DATA.resolve("llama2-gqa-q4-0000" + part + "-of-00003.gguf"), folder.resolve("m-0000" + part + "-of-00003.gguf"));
        }
        Path first = folder.resolve("m-00001-of-00003.gguf");
        String second = assertThrows(ModelFormatException.class, () -> GgufFile.open(folder.resolve("m-00002-of-00003.gguf"))).getMessage();
        assertTrue(second.contains("is part 2 of 3 of a model: open the first one, m-00001-of-00003.gguf"), second);
        Path renamed = Files.copy(first, folder.resolve("renamed.gguf"));
        String alone = assertThrows(ModelFormatException.class, () -> GgufFile.open(renamed)).getMessage();
        assertTrue(alone.contains("'split.count' = 3, but by its name the file is one of 1"), alone);
        Files.move(folder.resolve("m-00003-of-00003.gguf"), folder.resolve("third"));
        String missing = assertThrows(ModelFormatException.class, () -> GgufFile.open(first)).getMessage();
        assertTrue(missing.contains("m-00003-of-00003.gguf") && missing.contains("does not exist, and is part 3 of 3"), missing);
        Files.copy(folder.resolve("m-00002-of-00003.gguf"), folder.resolve("m-00003-of-00003.gguf"));
        String twice = assertThrows(ModelFormatException.class, () -> GgufFile.open(first)).getMessage();
        assertTrue(twice.contains("'split.no' = 1 and 'split.count' = 3, expected 2 and 3"), twice);
    }

    /** Changes the type of the first tensor, which is called f32. */
    private static byte[] typed(byte[] whole, int type) {
        byte[] name = {3, 0, 0, 0, 0, 0, 0, 0, 'f', '3', '2'};
        int at = 0;
        while (!Arrays.equals(Arrays.copyOfRange(whole, at, at + name.length), name)) {
            at++;
        }
        return changed(whole, at + name.length + 4 + 16, type);
    }

    private static byte[] changed(byte[] whole, int at, int value) {
        byte[] copy = whole.clone();
        ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN).putInt(at, value);
        return copy;
    }

    private String refused(byte[] bytes) throws IOException {
        Path file = Files.write(folder.resolve("damaged.gguf"), bytes);
        return assertThrows(ModelFormatException.class, () -> GgufFile.open(file)).getMessage();
    }

    @Test
    void noMutationOfTheHeaderDoesWorseThanAnError() throws IOException {
        Random random = new Random(3);
        int refused = 0;
        for (String name : List.of("types.gguf", "spm.gguf")) {
            byte[] whole = Files.readAllBytes(DATA.resolve(name));
            Path file = folder.resolve(name);
            for (int round = 0; round < 3000; round++) {
                byte[] copy = random.nextInt(4) == 0 ? Arrays.copyOf(whole, random.nextInt(whole.length)) : whole.clone();
                for (int change = random.nextInt(3); change >= 0 && copy.length > 0; change--) {
                    copy[random.nextInt(Math.min(copy.length, 900))] = (byte) random.nextInt();
                }
                Files.write(file, copy);
                try {
                    GgufFile opened = GgufFile.open(file);
                    for (GgufTensor tensor : opened.tensors().values()) {
                        assertTrue(tensor.offset() >= 0 && tensor.offset() + tensor.length() <= copy.length, tensor.toString());
                        floats(opened, tensor);
                    }
                } catch (ModelFormatException e) {
                    refused++;
                }
            }
        }
        assertTrue(refused > 1000, refused + " refused");
    }
}
