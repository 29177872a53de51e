package io.github.bts4j.core.adapter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.fuzz.ByteMutation;
import io.github.bts4j.core.fuzz.Fuzz;
import io.github.bts4j.core.fuzz.JsonMutation;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is not supported is refused by name, and damaged files by the documented exception. */
class AdapterRefusalTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path folder;
    private Map<String, List<Long>> base;

    @BeforeEach
    void copy() throws IOException {
        copy("patterns");
        base = LlamaTensors.shapes(LlamaConfig.read(AdapterFolders.ROOT.resolve("base")));
    }

    private void copy(String name) throws IOException {
        for (Path file : Adapter.files(AdapterFolders.ROOT.resolve(name))) {
            Files.write(folder.resolve(file.getFileName().toString()), Files.readAllBytes(file));
        }
    }

    private void set(String key, String json) throws IOException {
        Path file = folder.resolve(AdapterConfig.FILE);
        ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
        config.set(key, JSON.readTree(json));
        JSON.writeValue(file.toFile(), config);
    }

    private String refusal() {
        String message = assertThrows(ModelFormatException.class, () -> Adapter.open(folder, base)).getMessage();
        return message.substring(message.indexOf(": ") + 2);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            peft_type             | "IA3"             | peft_type = "IA3" is not supported: only "LORA" is
            task_type             | "SEQ_CLS"         | task_type = "SEQ_CLS" is not supported: only "CAUSAL_LM" is
            layer_replication     | [[0,2],[1,2]]     | the option 'layer_replication' = [[0,2],[1,2]] is not supported: only null and false are
            trainable_token_indices | [3]             | the option 'trainable_token_indices' = [3] is not supported: only null and false are
            use_qalora            | true              | the option 'use_qalora' = true is not supported: only null and false are
            alora_invocation_tokens | [1,2]           | the option 'alora_invocation_tokens' = [1,2] is not supported: only null and false are
            target_parameters     | ["w"]             | the option 'target_parameters' = ["w"] is not supported: only null and false are
            fan_in_fan_out        | true              | the option 'fan_in_fan_out' = true is not supported: only null and false are
            a_later_option        | "on"              | the option 'a_later_option' = "on" is not supported: only null and false are
            bias                  | "some"            | bias = "some" is not supported: only "none", "all" and "lora_only" are
            r                     | 0                 | r = 0 must be at least 1
            r                     | "8"               | r = "8": expected an integer of 32 bits
            lora_alpha            | "8"               | lora_alpha = "8": expected a number
            lora_alpha            | 1e308             | lora_alpha = 1.0E308 must be finite in float32; usual are r and 2 r, PEFT's default is 8
            alpha_pattern         | {"q_proj": -4e38} | alpha_pattern 'q_proj' = -4.0E38 must be finite in float32
            rank_pattern          | {"q_proj": 0}     | rank_pattern 'q_proj' = 0 must be at least 1
            rank_pattern          | {"(": 2}          | rank_pattern: '(' is not a regular expression: Unclosed group
            alpha_pattern         | {"q_proj": null}  | alpha_pattern: expected a number, found null
            target_modules        | []                | target_modules = [] names no module: what does the adapter change?
            target_modules        | "*q"              | target_modules: '*q' is not a regular expression: Dangling meta character '*'
            modules_to_save       | [""]              | modules_to_save holds an empty name, which would be every module
            layers_pattern        | ["l.*"]           | layers_pattern = ["l.*"] is not supported: only names such as "layers" are
            """)
    void optionsByName(String key, String json, String message) throws IOException {
        set(key, json);
        if (key.equals("target_modules")) { // nothing is chosen, so two things are wrong
            assertTrue(refusal().contains(message), refusal());
        } else {
            assertEquals("not an adapter that bts4j can load: " + message, refusal());
        }
    }

    /** PEFT takes every number. */
    @ParameterizedTest
    @ValueSource(strings = {"0.0", "1.0E-60"})
    void anAlphaThatChangesNothing(String alpha) throws IOException {
        set("lora_alpha", alpha);
        set("alpha_pattern", "{}");
        assertEquals("not an adapter that bts4j can load: lora_alpha = " + alpha + " leaves the base as it is: it must not be 0 in float32; usual are r and 2 r, PEFT's default is 8", refusal());
        set("alpha_pattern", "{\"q_proj\": -4}");
        assertEquals(-2, Adapter.open(folder, base).config().scaling("model.layers.0.self_attn.q_proj"), "4 over a rank of 2, taken away");
    }

    /** PEFT refuses them too. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            layers_to_transform | [0]        | "all-linear"
            layers_to_transform | []         | ".*_proj"
            layers_pattern      | ["layers"] | ".*_proj"
            """)
    void layersLimitListsOnly(String key, String json, String modules) throws IOException {
        set("target_modules", modules);
        set(key, json);
        assertTrue(refusal().contains("layers_to_transform and layers_pattern limit a list of modules, and target_modules = " + modules + " is none"), refusal());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            r                | 3                        | tensor 'base_model.model.model.layers.0.mlp.down_proj.lora_A.weight' has shape [2, 48], base and adapter_config.json imply [3, 48]
            target_modules   | ["q_proj"]               | module 'model.layers.0.mlp.down_proj' has low-rank matrices, but is not among target_modules
            target_modules   | "all-linear"             |
            use_dora         | true                     | module 'model.layers.0.mlp.down_proj' has no lora_magnitude_vector, use_dora = true
            lora_bias        | true                     | module 'model.layers.0.mlp.down_proj' has no lora_B.bias, lora_bias = true
            modules_to_save  | ["lm_head"]              | module 'lm_head' is in modules_to_save, but has no tensor
            exclude_modules  | "(.*(.*(.*(.*(.*)*)*)*)*)*x" | the regular expression '(.*(.*(.*(.*(.*)*)*)*)*)*x' takes more than 100000 steps on
            """)
    void filesThatDisagree(String key, String json, String message) throws IOException {
        set(key, json);
        if (message == null) {
            Adapter.open(folder, base);
        } else {
            assertTrue(refusal().contains(message), refusal());
        }
    }

    @Test
    void tensorsThatNothingAnnounces() throws IOException {
        copy("saved");
        set("modules_to_save", "null");
        assertTrue(refusal().contains("tensor 'base_model.model.lm_head.weight' is a tensor of the base, but neither modules_to_save nor bias includes it"), refusal());
        copy("biased-all");
        base = LlamaTensors.shapes(LlamaConfig.read(AdapterFolders.ROOT.resolve("base-biased")));
        set("bias", "\"lora_only\"");
        assertTrue(refusal().contains("k_proj.bias' is a tensor of the base"), refusal());
    }

    @Test
    void anotherBase() throws IOException {
        base = LlamaTensors.shapes(LlamaConfig.read(AdapterFolders.ROOT.resolve("../golden/llama2-gqa")));
        assertTrue(refusal().contains("base and adapter_config.json imply"), refusal());
    }

    @Test
    void foldersOfSomethingElse() throws IOException {
        Files.delete(folder.resolve(Adapter.WEIGHTS));
        assertEquals("holds no adapter_model.safetensors", refusal());
        Files.createFile(folder.resolve("adapter_model.bin"));
        assertEquals("holds adapter_model.bin, a pickled file, which could run any code: save the adapter as safetensors (save_pretrained, safe_serialization=True)", refusal());
        Files.delete(folder.resolve(AdapterConfig.FILE));
        assertEquals("holds no adapter_config.json: is it the folder of an adapter that PEFT saved?", refusal());
    }

    @Test
    void damagedConfigurations() throws Exception {
        JsonMutation mutation = new JsonMutation("\"(a+)+$\"", "\"(?P<n>.*)\"", "{\"(.*)*x\":2}", "[\"\"]", "1e300", "-1", "\"all-linear\"", "[[]]", "\"lora_only\"");
        int taken = Fuzz.run(folder.resolve(AdapterConfig.FILE), Files.readAllBytes(folder.resolve(AdapterConfig.FILE)), Fuzz.count(400), mutation::of, file -> Adapter.open(folder, base),
                Set.of(ModelFormatException.class));
        assertTrue(taken > 0);
    }

    @Test
    void damagedTensors() throws Exception {
        Fuzz.run(folder.resolve(Adapter.WEIGHTS), Files.readAllBytes(folder.resolve(Adapter.WEIGHTS)), Fuzz.count(400), (bytes, random) -> ByteMutation.of(bytes, 4000, random),
                file -> Adapter.open(folder, base), Set.of(ModelFormatException.class));
    }
}
