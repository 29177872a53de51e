package io.github.bts4j.core.torch.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.checkpoint.SafetensorsWriter;
import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import io.github.bts4j.core.checkpoint.gguf.GgufFile;
import io.github.bts4j.core.checkpoint.gguf.GgufTensor;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.support.Hashes;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.Tensors;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** GGUF files against those of the Python package gguf (gguf/export.json, by src-test-data/tools/gguf_export_golden.py; gguf/*.gguf, by gguf_golden.py). */
class GgufExportTest {
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"));

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"llama2-gqa, F16", "llama2-gqa, Q8_0", "biased-headdim-fp16, F16", "biased-headdim-fp16, Q8_0", "llama32-tied-scaled-bf16, F16", "llama32-tied-scaled-bf16, Q8_0", "bts-mqa, Q8_0"})
    void tensorsAreThoseOfThePackageGguf(String name, GgmlType type) throws IOException {
        JsonNode expected = JsonReader.STRICT.object(DATA.resolve("gguf/export.json"), ModelFormatException::new).get(name + " " + type);
        Path file = folder.resolve("model.gguf");
        GgufExport.write(DATA.resolve("golden").resolve(name), file, type);
        GgufFile written = GgufFile.open(file);
        Set<String> names = new TreeSet<>();
        expected.fieldNames().forEachRemaining(names::add);
        Set<String> there = new TreeSet<>(written.tensors().keySet());
        assertEquals(name.contains("scaled"), there.remove("rope_freqs.weight"));
        assertEquals(names, there);
        for (String tensor : names) {
            assertEquals(expected.get(tensor).get(0).asText(), written.tensors().get(tensor).type().name(), tensor);
            assertEquals(expected.get(tensor).get(1).asText(), Hashes.sha256(bytes(file, written.tensors().get(tensor))), tensor);
        }
    }

    /** What bts4j reads is what was written; of llama3's scaling the file only holds divisors. */
    @ParameterizedTest
    @CsvSource({"llama2-gqa, llama2-gqa-f32.gguf", "biased-headdim-fp16, biased-headdim-fp16-f16.gguf", "llama32-tied-scaled-bf16, llama32-tied-scaled-bf16-bf16.gguf"})
    void configurationsAreThoseOfThePackageGguf(String name, String theirs) throws IOException {
        Path file = folder.resolve("model.gguf");
        GgufExport.write(DATA.resolve("golden").resolve(name), file, GgmlType.F16);
        LlamaConfig expected = LlamaConfig.read(GgufFile.open(DATA.resolve("gguf").resolve(theirs)));
        assertEquals(expected.withDtype(LlamaConfig.read(GgufFile.open(file)).dtype()), LlamaConfig.read(GgufFile.open(file)));
        if (name.contains("scaled")) {
            assertEquals(Hashes.sha256(bytes(DATA.resolve("gguf").resolve(theirs), GgufFile.open(DATA.resolve("gguf").resolve(theirs)).tensors().get("rope_freqs.weight"))),
                    Hashes.sha256(bytes(file, GgufFile.open(file).tensors().get("rope_freqs.weight"))));
        }
    }

    /** A tokenizer from a GGUF file of the package, as tokenizer.json and back; SentencePiece's scores become ranks, which give the same tokens. */
    @ParameterizedTest
    @ValueSource(strings = {"gpt-2", "llama-bpe", "spm"})
    void tokenizersComeBack(String name) throws IOException {
        Path source = DATA.resolve("gguf").resolve(name + ".gguf");
        Path file = folder.resolve("model.gguf");
        Path model = model(name.equals("spm") ? 700 : 2048);
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(source)) {
            tokenizer.save(model);
        }
        GgufExport.write(model, file, GgmlType.F16);
        GgufFile theirs = GgufFile.open(source);
        GgufFile ours = GgufFile.open(file);
        for (String key : theirs.metadata().keys()) {
            if (key.startsWith("tokenizer.ggml.") && !key.endsWith(".scores") && !key.endsWith(".remove_extra_whitespaces")) {
                assertEquals(theirs.metadata().get(key), ours.metadata().get(key), key);
            }
        }
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(file)) {
            int probes = 0;
            for (JsonNode row : JsonReader.STRICT.object(DATA.resolve("gguf/tokenizers.json"), ModelFormatException::new).get(name)) {
                int[] ids = name.equals("spm") ? tokenizer.encodeOrdinary(row.get("text").asText()) : tokenizer.encode(row.get("text").asText(), false);
                assertEquals(row.get("ids").toString(), Arrays.toString(ids).replace(" ", ""), row.get("text").asText());
                probes++;
            }
            assertTrue(probes > 10);
        }
    }

    /** A model without knowledge in this test's folder. */
    private Path model(int vocabulary) throws IOException {
        Path model = Files.createDirectories(folder.resolve("model"));
        LlamaConfig config = LlamaConfig.builder().vocabSize(vocabulary).hiddenSize(32).intermediateSize(64).numLayers(1).numHeads(2).numKvHeads(2).maxPositionEmbeddings(64).build();
        config.write(model);
        List<SafetensorsWriter.Tensor> zeros = new ArrayList<>();
        LlamaTensors.shapes(config).forEach((name, shape) -> zeros.add(new SafetensorsWriter.Tensor(name, ElementType.FLOAT32, shape,
                sink -> sink.accept(ByteBuffer.allocate(Math.toIntExact(ElementType.FLOAT32.byteCount(shape)))))));
        SafetensorsWriter.write(model.resolve("model.safetensors"), Map.of(), zeros);
        return model;
    }

    @Test
    void whatLlamaCppHasNotIsRefused() throws IOException {
        Path dynamic = DATA.resolve("golden/rope-dynamic");
        Path file = folder.resolve("model.gguf");
        assertTrue(assertThrows(UnsupportedException.class, () -> GgufExport.write(dynamic, file, GgmlType.F16)).getMessage().contains("has no keys in GGUF"));
        assertFalse(Files.exists(file));
    }

    /** Other families: what is written is read back as the same model. */
    @ParameterizedTest
    @ValueSource(strings = {"qwen2-tied", "qwen3-headdim", "olmo2-gqa", "mistral-full"})
    void familiesComeBack(String name) throws IOException {
        Path file = folder.resolve("model.gguf");
        Path source = DATA.resolve("families").resolve(name);
        GgufExport.write(source, file, GgmlType.F32);
        try (LlamaModel model = LlamaModel.open(source, LoadOptions.defaults().withPrecision(Precision.FLOAT32)); LlamaModel back = LlamaModel.open(file)) {
            assertEquals(model.tensors().keySet(), back.tensors().keySet());
            model.tensors().forEach((tensor, values) -> assertEquals(Tensors.sha256(values), Tensors.sha256(back.tensors().get(tensor)), tensor));
        }
    }

    @Test
    void familiesWithOtherLayersAreRefused() {
        assertTrue(assertThrows(UnsupportedException.class, () -> GgufExport.write(DATA.resolve("families/gemma3-local"), folder.resolve("x.gguf"), GgmlType.F16)).getMessage()
                .contains("a model of type gemma3_text with these settings is not written: Llama, Mistral"));
    }

    private static byte[] bytes(Path file, GgufTensor tensor) throws IOException {
        byte[] bytes = new byte[Math.toIntExact(tensor.length())];
        try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
            in.seek(tensor.offset());
            in.readFully(bytes);
        }
        return bytes;
    }
}
