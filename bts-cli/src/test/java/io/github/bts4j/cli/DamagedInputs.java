package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.examples.TinyCheckpoints;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A folder of inputs as users bring them: whole ones, and damaged or unfitting ones by what is wrong with them. */
final class DamagedInputs {
    private static final ObjectMapper JSON = new ObjectMapper();
    final Path folder;
    final Path seed;
    final Path expert;
    final Path stitched;
    final Path text;
    final Map<String, Path> models = new LinkedHashMap<>();
    final Map<String, Path> stitches = new LinkedHashMap<>();
    final Map<String, Path> texts = new LinkedHashMap<>();
    final Map<String, Path> tokenizers = new LinkedHashMap<>();
    Path anotherTokenizer;

    DamagedInputs(Path folder) throws IOException {
        this.folder = folder;
        seed = TinyCheckpoints.write(folder.resolve("seed"), 1);
        expert = TinyCheckpoints.write(folder.resolve("expert"), 2);
        text = Files.write(folder.resolve("text.jsonl"), IntStream.range(0, 40).mapToObj(i -> "{\"text\": \"int f" + i + "() { return " + i + "; }\"}").toList());
        stitched = folder.resolve("stitched");
        StringWriter err = new StringWriter();
        int status = Bts.run(strings("stitch", seed, "--expert", "code=" + expert, "--data", "code=" + text, "--steps", 1, "--stitches", 2, "--sequence", 16, "--batch", 1, "--lr", "1e-3",
                "--out", stitched), new PrintWriter(new StringWriter()), new PrintWriter(err, true));
        assertEquals(0, status, err.toString());
        models();
        tokenizers();
        stitches();
        texts();
    }

    static String[] strings(Object... values) {
        return Arrays.stream(values).map(Object::toString).toArray(String[]::new);
    }

    private void models() throws IOException {
        models.put("missing", folder.resolve("nowhere"));
        models.put("empty folder", Files.createDirectory(folder.resolve("empty")));
        models.put("a file of text", Files.writeString(folder.resolve("notes.txt"), "no model"));
        models.put("an empty file", Files.createFile(folder.resolve("nothing.gguf")));
        models.put("cut GGUF", Files.write(folder.resolve("cut.gguf"), new byte[] {'G', 'G', 'U', 'F', 3, 0, 0, 0, 9, 0}));
        models.put("cut safetensors", changed("cut-weights", "model.safetensors", bytes -> Arrays.copyOf(bytes, bytes.length / 2)));
        models.put("empty safetensors", changed("no-weights", "model.safetensors", bytes -> new byte[0]));
        models.put("cut config", changed("cut-config", "config.json", bytes -> "{\"model_type\": 3".getBytes(StandardCharsets.UTF_8)));
        models.put("config of no object", changed("list-config", "config.json", bytes -> "[]".getBytes(StandardCharsets.UTF_8)));
        models.put("config that is no UTF-8", changed("bad-bytes", "config.json", bytes -> new byte[] {(byte) 0xff, (byte) 0xfe, 0}));
        models.put("another family", changed("gpt2", "config.json", bytes -> "{\"model_type\": \"gpt2\", \"architectures\": [\"GPT2LMHeadModel\"]}".getBytes(StandardCharsets.UTF_8)));
        models.put("a config that does not fit", changed("wide", "config.json",
                bytes -> new String(bytes, StandardCharsets.UTF_8).replaceFirst("\"hidden_size\" : 32", "\"hidden_size\" : 64").getBytes(StandardCharsets.UTF_8)));
        Path inside = copy(seed, folder.resolve("folder-as-file"));
        Files.delete(inside.resolve("config.json"));
        Files.createDirectory(inside.resolve("config.json"));
        models.put("a folder where a file is wanted", inside);
    }

    /** Models that are whole, with tokenizers that are not, or that end a process which does not look at them first. */
    private void tokenizers() throws IOException {
        tokenizers.put("cut", changed("cut-tokenizer", "tokenizer.json", bytes -> Arrays.copyOf(bytes, bytes.length / 2)));
        tokenizers.put("empty", changed("no-tokenizer", "tokenizer.json", bytes -> new byte[0]));
        tokenizers.put("of no object", changed("list-tokenizer", "tokenizer.json", bytes -> "[]".getBytes(StandardCharsets.UTF_8)));
        tokenizers.put("without a model", changed("bare-tokenizer", "tokenizer.json", bytes -> "{\"version\": \"1.0\"}".getBytes(StandardCharsets.UTF_8)));
        tokenizers.put("of another kind", changed("sentencepiece", "tokenizer.json", bytes -> new byte[] {10, 14, 10, 5, '<', 'u', 'n', 'k', '>', 21, 0, 0, 0, 0, 24, 2}));
        tokenizers.put("with a decoder that panics", changed("panic-tokenizer", "tokenizer.json", bytes -> with(bytes, "\"decoder\":",
                "\"decoder\": {\"type\": \"Strip\", \"content\": \"\\ud800\", \"start\": 1, \"stop\": 0}, \"_\":")));
        tokenizers.put("with a component of the future", changed("future-tokenizer", "tokenizer.json", bytes -> with(bytes, "\"normalizer\":",
                "\"normalizer\": {\"type\": \"Oracle\"}, \"_\":")));
        tokenizers.put("with a cut configuration", changed("cut-tokenizer-config", "tokenizer_config.json", bytes -> "{\"bos_token\": ".getBytes(StandardCharsets.UTF_8)));
        anotherTokenizer = changed("another-tokenizer", "tokenizer.json", DamagedInputs::exchanged);
    }

    private static byte[] with(byte[] json, String key, String instead) {
        String text = new String(json, StandardCharsets.UTF_8);
        assertTrue(text.contains(key), "the tokenizer has " + key);
        return text.replaceFirst(key, java.util.regex.Matcher.quoteReplacement(instead)).getBytes(StandardCharsets.UTF_8);
    }

    /** Two tokens of one length with each other's ids: nothing is damaged, and every text means another. */
    private static byte[] exchanged(byte[] json) {
        try {
            JsonNode root = JSON.readTree(json);
            ObjectNode vocabulary = (ObjectNode) root.path("model").path("vocab");
            JsonNode a = vocabulary.get("e");
            vocabulary.set("e", vocabulary.get("t"));
            vocabulary.set("t", a);
            return JSON.writeValueAsBytes(root);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void stitches() throws IOException {
        stitches.put("not a stitched model", seed);
        Path cut = copy(stitched, folder.resolve("cut-stitch"));
        Files.writeString(cut.resolve("stitch.json"), "{\"format\": 1, ");
        stitches.put("cut description", cut);
        Path other = copy(stitched, folder.resolve("other-stitch"));
        Files.writeString(other.resolve("stitch.json"), "{\"format\": 1}");
        stitches.put("description without its keys", other);
        Path weights = copy(stitched, folder.resolve("cut-stitch-weights"));
        try (Stream<Path> files = Files.list(weights)) {
            Path file = files.filter(path -> path.toString().endsWith(".safetensors")).findFirst().orElseThrow();
            Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 40));
        }
        stitches.put("cut stitch weights", weights);
        Path alone = Files.createDirectories(folder.resolve("deep").resolve("er"));
        stitches.put("base models that are gone", copy(stitched, alone.resolve("moved-stitch")));
    }

    private void texts() throws IOException {
        texts.put("missing", folder.resolve("nowhere.jsonl"));
        texts.put("empty folder", folder.resolve("empty"));
        texts.put("empty file", Files.createFile(folder.resolve("none.jsonl")));
        texts.put("no JSON", Files.writeString(folder.resolve("broken.jsonl"), "{\"text\": \"a\"}\n{\"text\": \n"));
        texts.put("another field", Files.writeString(folder.resolve("field.jsonl"), "{\"content\": \"a\"}\n"));
        texts.put("invalid UTF-8", Files.write(folder.resolve("bytes.jsonl"), new byte[] {'{', '"', 't', 'e', 'x', 't', '"', ':', '"', (byte) 0xff, (byte) 0xc0, '"', '}', '\n'}));
        texts.put("damaged Parquet", Files.writeString(folder.resolve("bad.parquet"), "PAR1 nothing more PAR1"));
        texts.put("damaged gzip", Files.write(folder.resolve("bad.jsonl.gz"), new byte[] {0x1f, (byte) 0x8b, 8, 0, 1, 2, 3}));
        texts.put("text named zst", Files.writeString(folder.resolve("text.jsonl.zst"), "{\"text\": \"a\"}\n"));
    }

    /** Changes the bytes of a file. */
    private interface Change {
        byte[] of(byte[] bytes);
    }

    private Path changed(String name, String file, Change change) throws IOException {
        Path copy = copy(seed, folder.resolve(name));
        byte[] bytes = Files.readAllBytes(copy.resolve(file));
        Files.delete(copy.resolve(file)); // links would be changed as well
        Files.write(copy.resolve(file), change.of(bytes));
        return copy;
    }

    static Path copy(Path from, Path to) throws IOException {
        Files.createDirectory(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
        return to;
    }
}
