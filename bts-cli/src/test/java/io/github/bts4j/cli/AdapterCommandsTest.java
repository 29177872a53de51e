package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.adapter.Adapter;
import io.github.bts4j.core.adapter.AdapterConfig;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.checkpoint.SafetensorsFile;
import io.github.bts4j.core.checkpoint.TensorEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Adapters on the command line: trained, merged, extracted and stitched. */
class AdapterCommandsTest {
    @TempDir
    private static Path folder;

    private static final Path PEFT = Path.of(System.getProperty("bts4j.testData"), "adapters");

    private static Path seed;
    private static Path text;

    @BeforeAll
    static void prepare() throws IOException {
        seed = Commands.seed(folder.resolve("seed"));
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 60; i++) {
            lines.append("{\"text\": \"The court of the ").append(i).append("th district finds that the party of the first part owes the party of the second part ").append(7 * i).append(".\"}\n");
        }
        text = Files.writeString(folder.resolve("law.jsonl"), lines);
    }

    @Test
    void fromTrainingToAStitchedModel() throws IOException {
        Path law = folder.resolve("law");
        Object[] train = {"train", seed, "--data", "law=" + text, "--steps", 12, "--sequence", 32, "--batch", 2, "--lr", "1e-2", "--lora", "rank=4,alpha=8,dora", "--out", law};
        Commands.done(train);
        assertTrue(Adapter.isAdapter(law));
        AdapterConfig config = AdapterConfig.read(law);
        assertTrue(config.rank() == 4 && config.alpha() == 8 && config.dora() && config.base().orElseThrow().equals(seed.toString()), config.toString());
        Commands.done(train); // is over: the same again
        Commands.refused("holds an adapter (adapter_config.json, adapter_model.safetensors)", "train", seed, "--data", "law=" + text, "--steps", 12, "--lora", "rank=4", "--out", law, "--run",
                folder.resolve("other"));

        Path full = folder.resolve("full");
        Commands.done("convert", seed, full, "--adapter", law);
        double merged = bits("eval", full, "--data", "law=" + text, "--sequence", 64, "--json");
        assertTrue(merged < bits("eval", seed, "--data", "law=" + text, "--sequence", 64, "--json") - 0.05, "it has learnt something: " + merged);

        Path extracted = folder.resolve("extracted");
        JsonNode losses = new ObjectMapper().readTree(Commands.done("convert", full, extracted, "--extract-from", seed, "--rank", 32, "--json").out());
        assertEquals(28, losses.get("tensors").size());
        losses.get("tensors").forEach(part -> assertTrue(part.get("error").asDouble() < 1e-4 && part.get("change").asDouble() > 0, part.toString()));
        Commands.done("convert", seed, folder.resolve("again"), "--adapter", extracted);
        assertEquals(merged, bits("eval", folder.resolve("again"), "--data", "law=" + text, "--sequence", 64, "--json"), 1e-4);
        assertTrue(Commands.done("convert", full, folder.resolve("small"), "--extract-from", seed, "--rank", 1).out().contains("model.layers.3.mlp.down_proj.weight"));

        Path stitched = folder.resolve("stitched");
        Commands.done("stitch", seed, "--expert", "law=" + law, "--expert", "full=" + full, "--stitches", 2, "--data", "law=" + text, "--steps", 3, "--sequence", 32, "--batch", 2, "--out", stitched);
        assertEquals(3, Commands.done("generate", stitched, "The court", "--max-tokens", 3, "--temperature", 0, "--json").json().get("tokens").asInt());
        assertTrue(bits("eval", stitched, "--data", "law=" + text, "--sequence", 64, "--json") > 0);
    }

    /** PEFT's own adapters: what they are, and whether a base fits. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            lora     | LoRA   | 4 | 8.0 | LoRA adapter of rank 4, alpha 8 (scale 2), target modules q_proj, v_proj | fits: 4 modules have low-rank matrices
            rslora   | rsLoRA | 4 | 3.0 | rsLoRA adapter of rank 4, alpha 3 (scale 1.5), target modules | fits: 14 modules
            dora     | DoRA   | 2 | 6.0 | DoRA adapter of rank 2, alpha 6 (scale 3) | fits: 14 modules
            patterns | LoRA   | 2 | 4.0 | rank 5 for layers.1.self_attn.q_proj, alpha 9 for ^model.layers.0.mlp.down_proj | fits: 14 modules
            saved    | LoRA   | 4 | 4.0 | embed_tokens in full, lm_head in full | fits: 4 modules
            biased-all | LoRA | 2 | 4.0 | biases: all | base-biased fits: 4 modules
            """)
    void inspected(String name, String kind, int rank, double alpha, String told, String base) throws IOException {
        Path adapter = PEFT.resolve(name);
        String text = Commands.done("inspect", adapter).out(); // the base is the one that it names
        assertTrue(text.contains(told) && text.contains(base), text);
        JsonNode found = Commands.done("inspect", adapter, "--hashes", "--json").json();
        assertEquals(List.of(kind, rank, alpha), List.of(found.at("/adapter/kind").asText(), found.at("/adapter/r").asInt(), found.at("/adapter/lora_alpha").asDouble()));
        assertTrue(found.at("/adapter/base/fits").asBoolean(), found.toString());
        assertEquals(ModelFingerprint.sha256(PEFT.resolve(name.startsWith("biased") ? "base-biased" : "base").resolve("model.safetensors")), found.at("/adapter/base/sha256/model.safetensors").asText());
        assertEquals(SafetensorsFile.open(adapter.resolve("adapter_model.safetensors")).entries().stream().mapToLong(TensorEntry::length).sum(), found.get("bytes").asLong());
    }

    @Test
    void inspectedWithAnotherBase() throws IOException {
        String text = Commands.done("inspect", PEFT.resolve("lora"), "--base", seed).out();
        assertTrue(text.contains("does not fit: ") && text.contains("model.layers.0.self_attn.v_proj"), text);
        Path alone = folder.resolve("alone");
        DocumentedFiles.copy(PEFT.resolve("lora"), alone);
        Files.writeString(alone.resolve("adapter_config.json"), Files.readString(alone.resolve("adapter_config.json")).replace("../base", "some/base"));
        assertTrue(Commands.done("inspect", alone).out().contains("base: some/base; --base DIR shows whether a model fits"));
        Files.writeString(alone.resolve("adapter_config.json"), Files.readString(alone.resolve("adapter_config.json")).replace("some/base", "other"));
        Files.createDirectories(alone.resolve("other"));
        Files.writeString(alone.resolve("other/config.json"), "{\"model_type\": \"bert\"}"); // no model that could be its base
        assertTrue(Commands.done("inspect", alone).out().contains("base: other; --base DIR shows whether a model fits"));
        assertEquals(2, text.lines().takeWhile(line -> !line.contains("parameters")).count(), text); // the first of many reasons
        Files.move(alone.resolve("adapter_model.safetensors"), alone.resolve("adapter_model.bin"));
        Commands.refused("holds adapter_model.bin, a pickled file, which could run any code", "inspect", alone);
        Commands.refused("--base " + seed + " is for an adapter, and " + seed + " is none", "inspect", seed, "--base", seed);
    }

    /** Whatever needs a full model says how an adapter becomes one. */
    @Test
    void anAdapterAloneIsNoModel() {
        Path adapter = PEFT.resolve("lora");
        String fix = adapter + ": is an adapter, and a full model is needed here: merge it into its base first, with bts convert BASE OUT --adapter " + adapter + " or AdaptedLlama.merged";
        Commands.refused(fix, "eval", adapter, "--data", "law=" + text);
        Commands.refused(fix, "generate", adapter, "The court");
        Commands.refused(fix, "plan", adapter, seed);
        Commands.refused("quantization = INT8 with the adapter " + adapter + ": adapters are added to weights of float32, bfloat16 or float16 only. Load the base without quantization (--int8), or merge the"
                + " two (bts convert BASE OUT --adapter " + adapter + ") and quantise OUT", "stitch", seed, "--expert", "law=" + adapter, "--int8", "--data", "law=" + text, "--out", folder.resolve("int8"));
        Commands.refused(fix, "stitch", adapter, "--expert", "law=" + seed, "--data", "law=" + text, "--out", folder.resolve("hub"));
    }

    @Test
    void planned() throws IOException {
        Path base = PEFT.resolve("base");
        JsonNode full = Commands.done("plan", base, base, base, "--stitches", 2, "--json").json();
        JsonNode adapters = Commands.done("plan", base, PEFT.resolve("lora"), PEFT.resolve("dora"), "--stitches", 2, "--json").json();
        assertEquals(full.at("/memory/frozen").asLong(), 3 * adapters.at("/memory/frozen").asLong());
        assertEquals(4 * (896 + 2304), adapters.at("/memory/adapters").asLong());
        assertTrue(adapters.at("/decoding/stitched").asLong() < 0.6 * full.at("/decoding/stitched").asLong(), adapters.toString());
        Commands.refused("does not fit adapter_config.json and the base", "plan", seed, PEFT.resolve("lora"), "--stitches", 2);
    }

    private static double bits(Object... arguments) throws IOException {
        return new ObjectMapper().readTree(Commands.done(arguments).out()).at("/domains/law/bits_per_byte").asDouble();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            alpha=8               | rank is missing
            rank=0                | rank = '0' is no number from 1 to 999999
            rank=4,alpha=x        | 'x' is not a number
            rank=4,targets=query  | target 'query' is none of q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj
            rank=4,dora=1         | dora takes no value
            rank=4,drop           | 'drop' is not known
            rank=99               | r = 99 of model.layers.0.self_attn.q_proj is above 32, the smaller side of its matrix
            """)
    void refusals(String spec, String message) {
        Commands.refused(message, "train", seed, "--data", "law=" + text, "--steps", 2, "--lora", spec, "--out", folder.resolve("refused"));
    }

    @Test
    void optionsThatDoNotGoTogether() {
        Commands.refused("--rank 3 needs --extract-from BASE", "convert", seed, folder.resolve("x"), "--rank", 3);
        Commands.refused("exclude each other", "convert", seed, folder.resolve("x"), "--extract-from", seed, "--adapter", seed);
        Commands.refused("The two models have the same weights", "convert", seed, folder.resolve("x"), "--extract-from", seed);
        Commands.refused("--freeze-embeddings is for the training of all weights", "train", seed, "--data", "law=" + text, "--lora", "rank=2", "--freeze-embeddings", "--out", folder.resolve("x"));
        Commands.refused("--mixed-precision is for the training of all weights", "train", seed, "--data", "law=" + text, "--lora", "rank=2", "--mixed-precision", "--out", folder.resolve("x"));
    }
}
