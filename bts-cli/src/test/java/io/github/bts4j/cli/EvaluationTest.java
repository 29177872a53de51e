package io.github.bts4j.cli;

import static io.github.bts4j.cli.Commands.DATA;
import static io.github.bts4j.cli.Commands.done;
import static io.github.bts4j.cli.Commands.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.github.bts4j.core.checkpoint.FolderContent;
import io.github.bts4j.examples.TinyCheckpoints;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Bits per byte by the command line, against transformers' (src-test-data/tools/eval_golden.py). */
class EvaluationTest {
    private static final Path GGUF = DATA.resolve("eval/llama-with-tokenizer.gguf");

    @TempDir
    private static Path folder;

    private static JsonNode golden;
    private static Path texts;
    private static Path converted;

    @BeforeAll
    static void prepare() throws IOException {
        golden = new ObjectMapper().readTree(DATA.resolve("eval/golden.json").toFile());
        List<String> documents = new ArrayList<>();
        golden.get("documents").forEach(document -> documents.add(document.asText()));
        texts = lines("texts.jsonl", documents);
        converted = folder.resolve("converted");
        done("convert", GGUF, converted);
    }

    private static Path lines(String name, List<String> documents) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.write(file, documents.stream().map(text -> JsonNodeFactory.instance.objectNode().put("text", text).toString()).toList());
    }

    private static JsonNode eval(Path model, Path data, Object... options) throws IOException {
        List<Object> all = new ArrayList<>(List.of("eval", model, "--data", "text=" + data, "--sequence", golden.get("sequence").asInt(), "--json"));
        all.addAll(List.of(options));
        return done(all.toArray()).json().at("/domains/text");
    }

    @Test
    void packedWindowsOfAGgufFileAndOfACheckpoint() throws IOException {
        for (Path model : List.of(GGUF, converted)) {
            JsonNode found = eval(model, texts);
            assertEquals(golden.get("packed").asDouble(), found.get("bits_per_byte").asDouble(), 2e-5, model.toString());
            assertEquals(golden.get("packedBytes").asLong(), found.get("bytes").asLong(), "all bytes, those of special tokens' text too");
        }
    }

    @Test
    void eachDocumentByItselfWhateverIsBesideIt() throws IOException {
        for (Path model : List.of(GGUF, converted)) {
            JsonNode found = eval(model, texts, "--by-document", "--overlap", golden.get("overlap").asInt());
            assertEquals(golden.get("byDocument").asDouble(), found.get("bits_per_byte").asDouble(), 2e-5);
        }
        List<String> documents = new ArrayList<>();
        golden.get("documents").forEach(document -> documents.add(document.asText()));
        for (int i = 0; i < documents.size(); i++) {
            double expected = golden.get("nats").get(i).asDouble() / Math.log(2) / golden.get("bytes").get(i).asDouble();
            assertEquals(expected, eval(converted, lines("one.jsonl", List.of(documents.get(i))), "--by-document").get("bits_per_byte").asDouble(), 2e-5, documents.get(i));
        }
        Collections.reverse(documents);
        assertEquals(golden.get("byDocument").asDouble(), eval(converted, lines("reversed.jsonl", documents), "--by-document").get("bits_per_byte").asDouble(), 2e-5);
        assertEquals(golden.get("byDocument").asDouble(), eval(converted, texts, "--by-document", "--eos").get("bits_per_byte").asDouble(), 2e-5, "end marks are not scored");
        assertTrue(done("eval", converted, "--data", "text=" + texts, "--by-document").out().contains("each document separately, windows of 64 tokens, overlap 32"));
        assertTrue(done("eval", converted, "--data", "text=" + texts).out().contains("documents packed into windows of 64 tokens"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.jsonl", "a.json", "a.ndjson", "a.JSONL", "a.csv", "a.txt", "a", "a.dat", "of/a.json", "mixed/a.jsonl"})
    void oneTextGivesTheSameBitsWhateverItsFileIsCalled(String name) throws IOException {
        Path file = folder.resolve("names").resolve(name);
        Files.createDirectories(file.getParent());
        Files.copy(texts, file);
        if (name.startsWith("mixed")) {
            Files.writeString(file.resolveSibling("README.md"), "About these texts.");
        }
        Path data = name.contains("/") ? file.getParent() : file;
        Commands.Result found = done("eval", GGUF, "--data", "text=" + data, "--sequence", 32, "--json");
        assertEquals(golden.get("packed").asDouble(), found.json().at("/domains/text/bits_per_byte").asDouble(), 2e-5);
        assertEquals(name.startsWith("mixed"), found.err().contains("skipped README.md"), found.err());
    }

    @Test
    void whatIsNeitherIsRefusedUnlessItsKindIsGiven() throws IOException {
        Path prose = Files.writeString(folder.resolve("prose.foo"), "Some words, and others. ".repeat(20));
        refused("--data text=" + prose + ": " + prose + ": the suffix .foo is not known, and the content is not JSON lines; name it .txt if it is plain text", "eval", GGUF, "--data", "text=" + prose);
        Path same = Files.copy(prose, folder.resolve("prose.txt"));
        assertEquals(eval(GGUF, same), eval(GGUF, prose, "--format", "text"));
        refused("is packed (.bz2): unpack it first", "eval", GGUF, "--data", "text=" + Files.copy(texts, folder.resolve("a.jsonl.bz2")));
        refused("named as a compressed file, but its content is not Zstandard", "eval", GGUF, "--data", "text=" + Files.copy(texts, folder.resolve("a.jsonl.zst")));
    }

    @Test
    void theContextIsALimitInEveryCommand() throws IOException {
        String beyond = " is beyond the model's context of 64 tokens (max_position_embeddings)";
        refused("--sequence 65" + beyond, "eval", GGUF, "--data", "text=" + texts, "--sequence", 65);
        refused("--sequence 100000" + beyond, "eval", converted, "--data", "text=" + texts, "--sequence", 100000, "--by-document");
        refused("--sequence 65" + beyond, "train", converted, "--data", "text=" + texts, "--sequence", 65, "--out", folder.resolve("x"));
        refused("--sequence 65" + beyond, "stitch", converted, "--expert", "a=" + converted, "--stitches", 2, "--data", "text=" + texts, "--sequence", 65, "--out", folder.resolve("x"));
        refused("--sequence 65" + beyond, "plan", converted, converted, "--stitches", 2, "--sequence", 65);
        done("eval", GGUF, "--data", "text=" + texts, "--sequence", 64);
    }

    @Test
    void oneWindowHasNoInterval() throws IOException {
        Path little = lines("little.jsonl", List.of("Few words."));
        JsonNode one = eval(converted, little, "--against", GGUF);
        assertFalse(one.has("low") || one.has("high") || one.has("p_value") || one.has("difference_low"), one.toString());
        assertEquals(0, one.get("difference").asDouble(1), 1e-6);
        assertTrue(done("eval", converted, "--data", "text=" + little).out().contains("(one item: no interval)"));
        assertTrue(eval(converted, texts).has("low"));
    }

    @Test
    void modelsOfOtherTokenizersAreNotComparedNorMerged() throws IOException {
        Path other = folder.resolve("other-tokenizer");
        FolderContent.of(converted);
        Files.createDirectories(other);
        for (String name : List.of("config.json", "model.safetensors", "tokenizer_config.json")) {
            Files.copy(converted.resolve(name), other.resolve(name));
        }
        String json = Files.readString(converted.resolve("tokenizer.json"));
        ObjectMapper mapper = new ObjectMapper();
        var root = (com.fasterxml.jackson.databind.node.ObjectNode) mapper.readTree(json);
        var vocabulary = (com.fasterxml.jackson.databind.node.ObjectNode) root.at("/model/vocab");
        int a = vocabulary.get("a").asInt();
        vocabulary.put("a", vocabulary.get("b").asInt()).put("b", a);
        mapper.writeValue(other.resolve("tokenizer.json").toFile(), root);
        refused("Only models with the same tokenizer can be compared: token ", "eval", converted, "--data", "text=" + texts, "--against", other);
        refused("Only models with the same tokenizer can be merged: token ", "merge", "linear", "--model", converted, "--model", other, "--out", folder.resolve("garbage"));
        assertFalse(Files.exists(folder.resolve("garbage")));
    }

    @Test
    void modelsThatDifferInTheirEndTokenAloneAreMergedAndAGgufFirstBringsItsTokenizer() throws IOException {
        Path chat = folder.resolve("chat");
        done("branch", converted, chat);
        Path config = chat.resolve("config.json");
        Files.writeString(config, Files.readString(config).replaceFirst("\"eos_token_id\" ?: ?2", "\"eos_token_id\": [2, 3]"));
        assertTrue(Files.readString(config).contains("[2, 3]"));
        Path merged = folder.resolve("merged");
        done("merge", "linear", "--model", GGUF, "--model", chat, "--out", merged);
        assertEquals(golden.get("packed").asDouble(), eval(merged, texts).get("bits_per_byte").asDouble(), 2e-5, "a model merged with itself, with its tokenizer");
        Path larger = TinyCheckpoints.write(folder.resolve("larger"), 1);
        Commands.Result found = Commands.bts("merge", "linear", "--model", GGUF, "--model", larger, "--out", folder.resolve("no"));
        assertTrue(found.err().contains("differs from 'llama-with-tokenizer.gguf' in intermediateSize (64, 48), numLayers (4, 2)"), found.err());
        assertFalse(found.err().contains("ropeTheta") || found.err().contains("vocabSize"), "what is equal is not shown: " + found.err());
    }

    @Test
    void weightsThatAreNoNumbersAreNamed() throws IOException {
        Path broken = folder.resolve("broken");
        done("branch", converted, broken);
        Path weights = broken.resolve("model.safetensors");
        try (RandomAccessFile file = new RandomAccessFile(weights.toFile(), "rw")) {
            file.seek(file.length() - 4);
            file.write(new byte[] {0, 0, (byte) 0xc0, 0x7f});
        }
        String named = "Model 'broken': the weight ";
        refused(named, "eval", broken, "--data", "text=" + texts, "--sequence", 32);
        refused(named, "eval", converted, "--data", "text=" + texts, "--sequence", 32, "--against", broken);
        refused(named, "train", broken, "--data", "text=" + texts, "--steps", 1, "--batch", 1, "--sequence", 16, "--out", folder.resolve("x"));
        refused(named, "stitch", converted, "--expert", "a=" + broken, "--stitches", 2, "--data", "text=" + texts, "--steps", 1, "--batch", 1, "--sequence", 16, "--out", folder.resolve("x"));
        refused(named, "merge", "linear", "--model", converted, "--model", broken, "--out", folder.resolve("x"));
        refused(named, "merge", "slerp", "--base", broken, "--model", converted, "--out", folder.resolve("x"));
        assertFalse(Files.exists(folder.resolve("x")));
    }

    @Test
    void domainsAreUnderAnObjectOfTheirOwn() throws IOException {
        JsonNode found = done("eval", GGUF, "--data", "average=" + texts, "--data", "details=" + texts, "--json").json();
        assertEquals(List.of("scored", "domains", "average"), names(found));
        assertEquals(List.of("average", "details"), names(found.get("domains")));
        refused("the domain 'a' was given twice", "eval", GGUF, "--data", "a=" + texts, "--data", "a=" + texts);
    }

    private static List<String> names(JsonNode node) {
        List<String> names = new ArrayList<>();
        node.fieldNames().forEachRemaining(names::add);
        return names;
    }

    /** GGUF in, checkpoint out: an expert has its tokenizer whatever its seed was kept in. */
    @Test
    void anExpertOfAGgufFileHasItsTokenizer() throws IOException {
        Path expert = folder.resolve("expert");
        done("train", GGUF, "--data", "text=" + texts, "--steps", 1, "--batch", 1, "--sequence", 16, "--document-mask", "--out", expert);
        assertTrue(eval(expert, texts).get("bits_per_byte").asDouble() > 0);
        done("eval", expert, "--data", "text=" + texts, "--against", GGUF);
    }

    @Test
    void aDocumentMaskNeedsAMarkThatIsThere() throws IOException {
        Path unmarked = folder.resolve("unmarked");
        done("branch", converted, unmarked);
        Path file = unmarked.resolve("tokenizer.json");
        ObjectMapper mapper = new ObjectMapper();
        var root = (com.fasterxml.jackson.databind.node.ObjectNode) mapper.readTree(file.toFile());
        root.putNull("post_processor");
        mapper.writeValue(file.toFile(), root);
        Object[] command = {"train", unmarked, "--data", "text=" + texts, "--steps", 1, "--batch", 1, "--sequence", 16, "--document-mask", "--out", folder.resolve("masked")};
        refused("--document-mask: the tokenizer does not add its begin token, so nothing separates documents; add --eos", command);
        Object[] ended = java.util.Arrays.copyOf(command, command.length + 1);
        ended[command.length] = "--eos";
        done(ended);
    }
}
