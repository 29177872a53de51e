package io.github.bts4j.core.adapter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.checkpoint.SafetensorsFile;
import io.github.bts4j.core.checkpoint.TensorEntry;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.AdaptedLlama;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Adapters against PEFT, which computes with them unmerged in float32. */
class AdapterGoldenTest {
    private static final double TOLERANCE = 3e-5; // logits of up to 10 in float32

    @TempDir
    private Path folder;

    static List<Path> adapters() {
        return AdapterFolders.all();
    }

    @Test
    void everyConfigurationIsThere() {
        assertEquals(18, adapters().size());
    }

    @ParameterizedTest
    @MethodSource("adapters")
    void mergedLogitsAreThoseOfPeft(Path adapter) throws IOException {
        try (NDManager scope = Torch.manager().newSubManager(); LlamaModel model = AdaptedLlama.merged(AdapterFolders.base(adapter), adapter, LoadOptions.defaults())) {
            check(scope, adapter, model);
            assertTrue(model.fingerprint().files().keySet().containsAll(List.of("base/config.json", "base/model.safetensors", "adapter_config.json", "adapter_model.safetensors")));
            model.save(folder);
        }
        try (NDManager scope = Torch.manager().newSubManager(); LlamaModel saved = LlamaModel.open(folder)) {
            check(scope, adapter, saved); // as a full checkpoint
        }
    }

    @ParameterizedTest
    @MethodSource("adapters")
    @SuppressWarnings("try") // the base is closed first on purpose
    void logitsBesideTheBaseAreThoseOfPeft(Path adapter) throws IOException {
        Path folderOfBase = AdapterFolders.base(adapter);
        try (NDManager scope = Torch.manager().newSubManager(); LlamaModel base = LlamaModel.open(folderOfBase);
                LlamaModel model = AdaptedLlama.beside(base, folderOfBase, adapter, LoadOptions.defaults())) {
            check(scope, adapter, model);
            decodes(scope, adapter, model);
            base.close();
            check(scope, adapter, model); // its handles are its own
            assertTrue(model.isAdapted());
            assertThrows(IllegalStateException.class, () -> model.save(folder));
        }
    }

    /** Token by token through the caches: the first half at once, the rest one at a time. */
    private static void decodes(NDManager scope, Path adapter, LlamaModel model) throws IOException {
        Map<String, NDArray> golden = TensorFiles.read(scope, adapter.resolve("golden.safetensors"));
        int[] ids = Arrays.stream(golden.get("input_ids").toLongArray()).limit(20).mapToInt(Math::toIntExact).toArray();
        float[] expected = Tensors.toFloats(golden.get("logits"));
        int vocabulary = model.vocabSize();
        try (DecodeSession session = model.newSession(ids.length)) {
            float[] logits = session.append(Arrays.copyOf(ids, 10));
            for (int t = 10; t < ids.length; t++) {
                GoldenCase.assertClose(adapter + " at " + t, Arrays.copyOfRange(expected, (t - 1) * vocabulary, t * vocabulary), logits, TOLERANCE);
                logits = session.append(ids[t]);
            }
        }
    }

    private static void check(NDManager scope, Path adapter, LlamaModel model) throws IOException {
        Map<String, NDArray> golden = TensorFiles.read(scope, adapter.resolve("golden.safetensors"));
        float[] expected = Tensors.toFloats(golden.get("logits"));
        GoldenCase.assertClose(adapter.getFileName().toString(), expected, model.forward(golden.get("input_ids")).toFloatArray(), TOLERANCE);
    }

    @Test
    void theAdapterIsWhatMakesTheDifference() throws IOException {
        Path adapter = AdapterFolders.ROOT.resolve("lora");
        try (NDManager scope = Torch.manager().newSubManager(); LlamaModel base = LlamaModel.open(AdapterFolders.base(adapter))) {
            Map<String, NDArray> golden = TensorFiles.read(scope, adapter.resolve("golden.safetensors"));
            assertTrue(GoldenCase.relativeError(Tensors.toFloats(golden.get("logits")), base.forward(golden.get("input_ids")).toFloatArray()) > 0.1);
        }
    }

    /** What is written is what PEFT wrote: the same tensors under the same names, and the same values in the configuration. */
    @ParameterizedTest
    @MethodSource("adapters")
    void writtenAsPeftWritesThem(Path peft) throws IOException {
        Adapter adapter = Adapter.open(peft, LlamaTensors.shapes(LlamaConfig.read(AdapterFolders.base(peft))));
        try (NDManager scope = Torch.manager().newSubManager()) {
            Map<String, NDArray> tensors = TensorFiles.read(scope, peft.resolve(Adapter.WEIGHTS));
            Map<TensorEntry, NDArray> byEntry = new HashMap<>();
            SafetensorsFile.open(peft.resolve(Adapter.WEIGHTS)).entries().forEach(entry -> byEntry.put(entry, tensors.get(entry.name())));
            Map<String, LowRank<NDArray>> modules = new HashMap<>();
            adapter.modules().forEach((module, part) -> modules.put(module, part.map(byEntry)));
            Map<String, NDArray> whole = new HashMap<>();
            adapter.whole().forEach((name, entry) -> whole.put(name, byEntry.get(entry)));
            AdapterWriter.write(folder, adapter.config(), modules, whole);
            Map<String, NDArray> written = TensorFiles.read(scope, folder.resolve(Adapter.WEIGHTS));
            assertEquals(tensors.keySet(), written.keySet());
            written.forEach((name, tensor) -> assertEquals(Tensors.sha256(tensors.get(name)), Tensors.sha256(tensor), name));
        }
        assertEquals(adapter.config(), AdapterConfig.read(folder));
        JsonNode theirs = new ObjectMapper().readTree(peft.resolve(AdapterConfig.FILE).toFile());
        JsonNode ours = new ObjectMapper().readTree(folder.resolve(AdapterConfig.FILE).toFile());
        ours.properties().forEach(entry -> {
            if (!entry.getKey().equals("init_lora_weights")) {
                boolean none = entry.getValue().isNull() && theirs.path(entry.getKey()).isEmpty() || entry.getValue().isArray() && theirs.get(entry.getKey()).isTextual();
                assertTrue(none || entry.getValue().equals(theirs.get(entry.getKey())), entry + ", PEFT has " + theirs.get(entry.getKey()));
            }
        });
    }
}
