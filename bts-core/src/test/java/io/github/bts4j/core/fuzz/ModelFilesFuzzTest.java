package io.github.bts4j.core.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.ChatTemplateException;
import io.github.bts4j.core.chat.ChatMessage;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.checkpoint.SafetensorsFile;
import io.github.bts4j.core.checkpoint.TensorEntry;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every file of a checkpoint, damaged: it is taken, or refused by the one documented exception. */
class ModelFilesFuzzTest {

    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"));
    private static final Path MODEL = DATA.resolve("golden/llama2-gqa");
    private static final Set<Class<? extends Exception>> FORMAT = Set.of(ModelFormatException.class);
    private static final int COUNT = 300;

    @TempDir
    private Path folder;

    @BeforeEach
    void copy() throws IOException {
        for (String name : new String[] {"config.json", "model.safetensors"}) {
            Files.copy(MODEL.resolve(name), folder.resolve(name));
        }
        for (String name : new String[] {"tokenizer.json", "tokenizer_config.json"}) {
            Files.copy(DATA.resolve("tokenizer").resolve(name), folder.resolve(name));
        }
    }

    private byte[] valid(String name) throws IOException {
        return Files.readAllBytes(folder.resolve(name));
    }

    @Test
    void config() throws Exception {
        JsonMutation mutation = new JsonMutation("{\"rope_type\":\"yarn\",\"factor\":1e300}", "{\"rope_type\":\"llama3\"}", "[1,2]", "\"silu\"", "1e-300");
        int taken = Fuzz.run(folder.resolve("config.json"), valid("config.json"), Fuzz.count(COUNT), mutation::of, file -> LlamaConfig.read(folder), FORMAT);
        assertTrue(taken > 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen2-window", "mistral-window", "qwen3-biased", "smollm3-window", "granite-biased", "olmo2-gqa", "phi3-longrope", "gemma3-stretched"})
    void configOfAFamily(String name) throws Exception {
        JsonMutation mutation = new JsonMutation("[\"sliding_attention\",\"full_attention\"]", "{\"full_attention\":{\"rope_theta\":0}}", "[1e300]", "-7", "1e-300", "\"gelu\"");
        byte[] valid = Files.readAllBytes(DATA.resolve("families").resolve(name).resolve("config.json"));
        int taken = Fuzz.run(folder.resolve("config.json"), valid, Fuzz.count(COUNT) / 2, mutation::of, file -> {
            LlamaConfig config = LlamaConfig.read(folder);
            config.write(file);
            assertEquals(config, LlamaConfig.read(folder));
        }, FORMAT);
        assertTrue(taken > 0);
    }

    /** Whole models, whose shapes have to fit: huge sizes are refused before anything of that size is made. */
    @Test
    void configOfAModel() throws Exception {
        Fuzz.run(folder.resolve("config.json"), valid("config.json"), Fuzz.count(COUNT) / 10, new JsonMutation()::of, file -> LlamaModel.open(folder).close(), FORMAT);
    }

    @Test
    void generationConfig() throws Exception {
        byte[] valid = "{\"bos_token_id\":1,\"eos_token_id\":[2,3],\"do_sample\":true,\"temperature\":0.6,\"top_p\":0.9,\"top_k\":50,\"max_new_tokens\":20,\"repetition_penalty\":1.1}".getBytes(StandardCharsets.UTF_8);
        Fuzz.run(folder.resolve("generation_config.json"), valid, Fuzz.count(COUNT), new JsonMutation()::of, file -> LlamaConfig.read(folder), FORMAT);
    }

    @Test
    void tokenizerConfig() throws Exception {
        Files.copy(DATA.resolve("server/tokenizer.json"), folder.resolve("tokenizer.json"), StandardCopyOption.REPLACE_EXISTING); // a small one: it is opened every time
        byte[] valid = ("{\"bos_token\":{\"content\":\"<s>\",\"lstrip\":false},\"eos_token\":\"</s>\",\"chat_template\":\"{% for m in messages %}{{ m.content }}{% endfor %}\","
                + "\"model_max_length\":1000000000000000019884624838656,\"added_tokens_decoder\":{\"0\":{\"content\":\"<unk>\",\"special\":true}}}").getBytes(StandardCharsets.UTF_8);
        JsonMutation mutation = new JsonMutation("[{\"name\":\"default\",\"template\":\"x\"}]", "\"{% for\"", "\"{{ m }}\"");
        Fuzz.run(folder.resolve("tokenizer_config.json"), valid, Fuzz.count(COUNT), mutation::of, file -> {
            LlamaTokenizer.open(folder).close();
            ChatTemplate.of(folder);
        }, Set.of(ModelFormatException.class, ChatTemplateException.class, IllegalArgumentException.class));
    }

    /** A template in a file of its own. */
    @Test
    void template() throws Exception {
        Files.delete(folder.resolve("tokenizer_config.json"));
        byte[] valid = "{% for m in messages %}{{ m.role ~ 'é' }}: {{ m['content']|trim }}{% if not loop.last %}\n{% endif %}{% endfor %}".getBytes(StandardCharsets.UTF_8);
        Fuzz.run(folder.resolve("chat_template.jinja"), valid, Fuzz.count(COUNT), ByteMutation::of, file -> ChatTemplate.of(folder).render(List.of(ChatMessage.user("a"), ChatMessage.user("b")), true),
                Set.of(ModelFormatException.class, ChatTemplateException.class));
    }

    @Test
    void safetensors() throws Exception {
        byte[] valid = valid("model.safetensors");
        Fuzz.run(folder.resolve("model.safetensors"), valid, Fuzz.count(COUNT), (bytes, random) -> ByteMutation.of(bytes, 4000, random), file -> {
            SafetensorsFile opened = SafetensorsFile.open(file);
            for (TensorEntry entry : opened.entries()) {
                opened.read(entry);
            }
        }, FORMAT);
    }

    @Test
    void index() throws Exception {
        SafetensorsFile single = SafetensorsFile.open(folder.resolve("model.safetensors"));
        StringBuilder map = new StringBuilder();
        single.entries().forEach(entry -> map.append(map.isEmpty() ? "" : ",").append('"').append(entry.name()).append("\":\"model-00001-of-00001.safetensors\""));
        Files.move(folder.resolve("model.safetensors"), folder.resolve("model-00001-of-00001.safetensors"));
        byte[] valid = ("{\"metadata\":{\"total_size\":1},\"weight_map\":{" + map + "}}").getBytes(StandardCharsets.UTF_8);
        JsonMutation mutation = new JsonMutation("\"../model.safetensors\"", "\"/dev/zero\"", "\"a\\u0000b.safetensors\"");
        Fuzz.run(folder.resolve(Checkpoint.INDEX_FILE), valid, Fuzz.count(COUNT), mutation::of, file -> Checkpoint.open(folder), FORMAT);
    }

    /** Models and vocabularies, damaged byte by byte or where a number or a text stands. */
    @ParameterizedTest
    @CsvSource({"gguf/llama2-gqa-q4.gguf, bytes", "gguf/llama2-gqa-q4.gguf, fields", "gguf/spm.gguf, bytes", "gguf/spm.gguf, fields", "families/gemma3-local/model.gguf, fields",
        "families/phi3-longrope/model.gguf, fields", "families/granite-biased/model.gguf, fields"})
    void gguf(String path, String damage) throws Exception {
        byte[] valid = Files.readAllBytes(DATA.resolve(path));
        String name = Path.of(path).getFileName().toString();
        Fuzz.Mutator mutator = damage.equals("bytes") ? (bytes, random) -> ByteMutation.of(bytes, 1500, random) : new GgufMutation(valid)::of;
        Fuzz.run(folder.resolve(name), valid, Fuzz.count(COUNT) / 2, mutator, file -> {
            if (name.startsWith("spm")) {
                LlamaTokenizer.open(file).close();
            } else {
                LlamaModel.open(file).close();
            }
        }, Set.of(ModelFormatException.class, IllegalArgumentException.class));
    }
}
