package io.github.bts4j.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.TooLargeException;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.fuzz.Fuzz;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files on which the native tokenizer would end the process or not return. */
class HostileTokenizerTest {

    private static final String TEMPLATE = "{\"type\": \"TemplateProcessing\", \"single\": [%s], \"pair\": [], \"special_tokens\": {%s}}";
    private static final String A = "{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}";

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '\0', value = {
        "decoder; {\"type\":\"Strip\",\"content\":\"\\ud800\",\"start\":1,\"stop\":0}; half a surrogate pair",
        "decoder; {\"type\":\"Strip\",\"content\":\"ab\",\"start\":1,\"stop\":0}; expected one character",
        "decoder; {\"type\":\"Strip\",\"content\":\" \",\"start\":-1,\"stop\":0}; 'start' = -1",
        "decoder; {\"type\":\"Strip\",\"content\":\" \",\"start\":1e400,\"stop\":0}; beyond the range of a double",
        "normalizer; {\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAAA\"}; has 3 bytes, and begins with a trie of -1",
        "normalizer; {\"type\":\"Precompiled\",\"precompiled_charsmap\":\"BAAAAAAAAAA=\"}; leads out of its trie of 1 units",
        "normalizer; {\"type\":\"Precompiled\",\"precompiled_charsmap\":\"?\"}; has a 'precompiled_charsmap' that is not base64",
        "normalizer; {\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(a+)+b\"},\"content\":\"\"}; more than one way",
        "normalizer; {\"type\":\"Replace\",\"pattern\":{\"Regex\":\"a*\"},\"content\":\"\"}; matches the empty text",
        "normalizer; {\"type\":\"Replace\",\"pattern\":{\"String\":\"\"},\"content\":\"b\"}; matches the empty text",
        "normalizer; {\"type\":\"Oracle\"}; 'normalizer' (Oracle) is not known",
        "normalizer; {\"type\":\"NFC\",\"strength\":2}; unknown key 'strength'",
        "normalizer; 7; 'normalizer' is 7, expected an object",
        "pre_tokenizer; {\"type\":\"Split\",\"pattern\":{\"Regex\":\"(x+x+)+y\"},\"behavior\":\"Isolated\",\"invert\":false}; more than one way",
        "pre_tokenizer; {\"type\":\"Split\",\"pattern\":{\"Regex\":\"(a|a)*c\"},\"behavior\":\"Isolated\",\"invert\":false}; more than one way",
        "pre_tokenizer; {\"type\":\"Split\",\"pattern\":{\"Regex\":\"(a*)\\\\1b\"},\"behavior\":\"Isolated\",\"invert\":false}; no published tokenizer needs",
        "pre_tokenizer; {\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\s*\\\\s*\\\\s*x\"},\"behavior\":\"Isolated\",\"invert\":false}; several loops",
        "pre_tokenizer; {\"type\":\"Split\",\"pattern\":{\"Regex\":\"a{1,1000}b{1,1000}c\"},\"behavior\":\"Isolated\",\"invert\":false}; ways at one place",
        "pre_tokenizer; {\"type\":\"Split\",\"pattern\":{\"Regex\":\"(?:a{999}){999}\"},\"behavior\":\"Isolated\",\"invert\":false}; spell more than 1000",
        "pre_tokenizer; {\"type\":\"Split\",\"pattern\":{\"Regex\":\"a\"},\"behavior\":\"Exploded\",\"invert\":false}; 'behavior' = 'Exploded'",
        "post_processor; {\"type\":\"RobertaProcessing\",\"sep\":[\"a\",1],\"cls\":[\"b\",4000],\"trim_offsets\":true,\"add_prefix_space\":true}; 'cls'",
        "model; {\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":0},\"merges\":[]}; gives id 0 to two tokens",
        "model; {\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1},\"merges\":[\"a b\"]}; merge 0",
        "model; {\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[[\"a\",\"b\",\"c\"]]}; merge 0",
        "model; {\"type\":\"BPE\",\"vocab\":{\"a\":0,\"aa\":1},\"merges\":[\"a a\"],\"continuing_subword_prefix\":\"##\"}; merge 0",
        "model; {\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[],\"dropout\":0.5}; ids of a text are random",
        "model; {\"type\":\"BPE\",\"vocab\":{\"a\":\"0\"},\"merges\":[]}; token 'a' has id",
        "model; {\"type\":\"Unigram\",\"vocab\":[[\"a\",\"0\"]],\"unk_id\":0}; entry 0",
        "model; {\"type\":\"Unigram\",\"vocab\":[[\"a\",0]],\"unk_id\":1}; 'unk_id' = 1",
        "model; {\"type\":\"WordPiece\",\"vocab\":{\"a\":0},\"unk_token\":\"a\",\"continuing_subword_prefix\":\"\",\"max_input_chars_per_word\":4000000}; 'max_input_chars_per_word'"})
    void componentsThatPanicAreRefused(String key, String value, String expected) throws IOException {
        assertRefused(key, value, expected);
    }

    @Test
    void templatesThatPanicAreRefused() throws IOException {
        String special = "{\"SpecialToken\": {\"id\": \"<s>\", \"type_id\": 0}}";
        String defined = "\"<s>\": {\"id\": \"<s>\", \"ids\": [1], \"tokens\": [\"<s>\"]}";
        assertRefused("post_processor", TEMPLATE.formatted(special + "," + A, ""), "'special_tokens' does not define");
        assertRefused("post_processor", TEMPLATE.formatted(A.replace('A', 'B'), ""), "as sequence A");
        assertRefused("post_processor", TEMPLATE.formatted(special, defined), "0 times");
        assertRefused("post_processor", TEMPLATE.formatted(A + "," + A, defined), "2 times");
        assertRefused("post_processor", TEMPLATE.formatted(A, defined.replace("[1]", "[1, 2]")), "as many ids as tokens");
        assertRefused("post_processor", TEMPLATE.formatted(A, defined.replace("[1]", "[4000]")), "ids below 2048");
        String template = TEMPLATE.formatted(special + "," + A, defined);
        assertRefused("post_processor", "{\"type\": \"Sequence\", \"processors\": [" + template + "," + template + "]}", "the second that adds tokens");
    }

    @Test
    void growthIsBounded() throws IOException {
        String replace = "{\"type\": \"Replace\", \"pattern\": {\"String\": \"a\"}, \"content\": \"" + "a".repeat(16) + "\"}";
        assertRefused("normalizer", "{\"type\": \"Sequence\", \"normalizers\": [" + (replace + ",").repeat(5) + replace + "]}", "grow 256-fold");
        assertRefused("decoder", "{\"type\": \"Sequence\", \"decoders\": [" + (replace + ",").repeat(5) + replace + "]}", "grow 256-fold");
    }

    @Test
    void addedTokensThatClashAreRefused() throws IOException {
        String token = "{\"id\": %d, \"content\": \"%s\", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, \"normalized\": %s, \"special\": true}";
        assertRefused("added_tokens", "[" + token.formatted(7, "<new>", false) + "]", "library assigns 2048");
        assertRefused("added_tokens", "[" + token.formatted(2048, " ", true) + "]", "may leave nothing");
        assertRefused("added_tokens", "[" + token.formatted(-1, "a", false) + "]", "has id -1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+"
            + "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+"
            + "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "[0-9][0-9][0-9]", "[一-龥぀-ゟ゠-ヿ]+", " ?[^(\\s|[.,!?…。，、।۔،])]+", "\\s?\\p{P}+",
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"})
    void expressionsOfPublishedTokenizersTakeTextsOfAnyLength(String expression) {
        assertEquals(0, RegexCheck.cost(expression).degree());
    }

    @Test
    void anUnknownExpressionLimitsTheText() throws IOException {
        Path file = Tokenizers.changed(folder, root -> root.set("pre_tokenizer", json("{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Split\", \"pattern\":"
                + " {\"Regex\": \"\\\\d+x\"}, \"behavior\": \"Isolated\", \"invert\": false}, {\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": false}]}")));
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(file)) {
            assertEquals(10_000, tokenizer.encode("1".repeat(10_000), false).length);
            String message = assertThrows(TooLargeException.class, () -> tokenizer.encode("1".repeat(100_000), false)).getMessage();
            assertTrue(message.contains("text has 100000 characters") && message.contains("at most 15811") && message.contains("split the text"), message);
        }
    }

    @Test
    void truncationAndPaddingMayBeAnything() throws IOException {
        Path file = Tokenizers.changed(folder, root -> root.put("truncation", 7).set("padding", json("{\"strategy\": {\"Fixed\": 1e300}}")));
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(file); LlamaTokenizer bundled = LlamaTokenizer.open(Tokenizers.BUNDLED)) {
            assertArrayEquals(bundled.encode("hello", true), tokenizer.encode("hello", true));
        }
    }

    /** A panic in native code would end the process: the damaged files are opened in another one. */
    @Test
    void damagedFilesNeverEndTheProcess() throws Exception {
        List<String> arguments = new ArrayList<>(List.of(folder.toString(), "0", String.valueOf(Fuzz.count(300)), Tokenizers.BUNDLED.resolve("tokenizer.json").toString()));
        for (String name : new String[] {"llama2", "metaspace"}) {
            arguments.add(Files.write(folder.resolve(name + ".json"), Tokenizers.resource(name + ".json")).toString());
        }
        run("512m", TokenizerFuzz.class, arguments, 3600);
    }

    /** Texts for which the heap is too small: one sentence, not the end. */
    @Test
    void tooLittleHeapIsAnException() throws Exception {
        String printed = run("32m", LongTexts.class, List.of(Tokenizers.BUNDLED.toString(), "3"), 120);
        assertTrue(printed.contains("text has 3000000 characters, which need up to 38 MiB of heap; the JVM has 32 MiB at most and"), printed);
    }

    @Test
    @Tag("slow")
    void littleHeapTakesLongTexts() throws Exception {
        String printed = run("256m", LongTexts.class, List.of(Tokenizers.BUNDLED.toString(), "3", "3", "4", "4"), 600);
        assertEquals(2, printed.lines().filter("3000000: 1875002"::equals).count(), printed);
    }

    private String run(String heap, Class<?> program, List<String> arguments, int seconds) throws Exception {
        Path output = folder.resolve("output");
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx" + heap, "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=" + folder.resolve("crash"), "-cp", System.getProperty("java.class.path"), program.getName()));
        command.addAll(arguments);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start();
        assertTrue(process.waitFor(seconds, TimeUnit.SECONDS), "does not end");
        String printed = Files.readString(output);
        Path at = folder.resolve("at");
        if (process.exitValue() != 0 && Files.exists(at)) {
            Path kept = Files.copy(folder.resolve("tokenizer.json"), Files.createTempFile("mutation-", "-tokenizer.json"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            printed = "mutation " + Files.readString(at) + ", kept as " + kept + "\n" + printed;
        }
        assertEquals(0, process.exitValue(), printed);
        System.out.println(program.getSimpleName() + ": " + printed.lines().reduce((a, b) -> b).orElse(""));
        return printed;
    }

    private void assertRefused(String key, String value, String expected) throws IOException {
        ObjectNode root = (ObjectNode) Tokenizers.JSON.readTree(Tokenizers.BUNDLED.resolve("tokenizer.json").toFile());
        root.remove(key);
        String json = root.toString();
        Path file = Files.writeString(folder.resolve("tokenizer.json"), json.substring(0, json.length() - 1) + ",\"" + key + "\":" + value + "}");
        String message = assertThrows(ModelFormatException.class, () -> LlamaTokenizer.open(file)).getMessage();
        assertTrue(message.contains(expected) && message.startsWith(file.toString()), message);
    }

    private static com.fasterxml.jackson.databind.JsonNode json(String json) {
        try {
            return Tokenizers.JSON.readTree(json);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Encodes texts of so many million characters, each in a thread of its own. */
    static final class LongTexts {

        private LongTexts() {}

        public static void main(String[] args) throws InterruptedException {
            try (LlamaTokenizer tokenizer = LlamaTokenizer.open(Path.of(args[0]))) {
                List<Thread> threads = new ArrayList<>();
                for (int i = 1; i < args.length; i++) {
                    int millions = Integer.parseInt(args[i]);
                    threads.add(new Thread(() -> encode(tokenizer, millions * 1_000_000)));
                }
                threads.forEach(Thread::start);
                for (Thread thread : threads) {
                    thread.join();
                }
            }
            System.out.println("finished");
        }

        private static void encode(LlamaTokenizer tokenizer, int length) {
            try {
                System.out.println(length + ": " + tokenizer.encode("ab 12 é ".repeat(length / 8), true).length);
            } catch (TooLargeException e) {
                System.out.println(length + ": " + e.getMessage());
            }
        }
    }
}
