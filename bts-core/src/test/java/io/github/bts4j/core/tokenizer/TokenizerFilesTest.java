package io.github.bts4j.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerFilesTest {

    @TempDir
    private Path folder;

    @Test
    void aMissingFileIsTheCallersMistake() {
        for (Path path : new Path[] {folder, folder.resolve("none.json")}) {
            String message = assertThrows(IllegalArgumentException.class, () -> LlamaTokenizer.open(path)).getMessage();
            assertTrue(message.startsWith("tokenizerJsonOrFolder = " + path) && message.contains("tokenizer.json"), message);
        }
    }

    @Test
    void brokenFilesAreNamedWithWhatIsWrong() throws IOException {
        String whole = Files.readString(Tokenizers.BUNDLED.resolve("tokenizer.json"));
        assertBroken("", "expected a JSON object");
        assertBroken("[1]", "expected a JSON object");
        assertBroken("no json", "is not valid JSON");
        assertBroken(whole.substring(0, whole.length() / 2), "is not valid JSON");
        assertBroken("{}", "'model.vocab' is missing");
        assertBroken("{\"model\": {\"vocab\": {}}}", "the vocabulary is empty");
        assertBroken("{\"model\": {\"vocab\": {\"a\": -3}}}", "token 'a' has id -3");
        assertBroken("{\"model\": {\"vocab\": {\"a\": 4e9}}}", "token 'a' has id");
        assertBroken("{\"model\": {\"vocab\": {\"a\": 0}}, \"added_tokens\": 7}", "'added_tokens' is of type NUMBER");
        assertBroken("{\"model\": {\"type\": \"Oracle\", \"vocab\": {\"a\": 0}}}", "known models are BPE, Unigram, WordPiece and WordLevel");
    }

    @Test
    void decodersThatLookAheadAreRefused() throws IOException {
        assertBroken(root -> root.putObject("decoder").put("type", "WordPiece").put("prefix", "##").put("cleanup", true), "decoder {\"type\":\"WordPiece\"");
        assertBroken(root -> root.putObject("decoder").put("type", "Sequence").putArray("decoders").addObject().put("type", "CTC"), "decoder {\"type\":\"CTC\"}");
        assertBroken(root -> root.putObject("decoder").put("type", "Strip").put("content", " ").put("start", 0).put("stop", 1), "stop = 0");
    }

    @Test
    void rolesOfUnknownTokensAreRefused() throws IOException {
        Path file = Tokenizers.changed(folder, root -> { });
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"bos_token\": \"<s>\"}");
        String message = assertThrows(ModelFormatException.class, () -> LlamaTokenizer.open(file)).getMessage();
        assertTrue(message.contains("bos_token = '<s>' is not a token of") && message.contains("tokenizer_config.json"), message);
    }

    @Test
    void offlineUnlessSomebodyDecided() {
        assertEquals(Map.of("ai.djl.offline", "true"), afterApply(Map.of(), Map.of()));
        assertEquals(Map.of("ai.djl.offline", "false"), afterApply(Map.of(), Map.of("ai.djl.offline", "false")));
        assertEquals(Map.of(), afterApply(Map.of("DJL_OFFLINE", "false"), Map.of()));
        assertEquals(Map.of("RUST_FLAVOR", "cpu"), afterApply(Map.of("OPT_OUT_TRACKING", "true"), Map.of()));
        assertEquals(Map.of("OPT_OUT_TRACKING", "true", "RUST_FLAVOR", "cu122"),
                afterApply(Map.of(), Map.of("OPT_OUT_TRACKING", "true", "RUST_FLAVOR", "cu122")));
    }

    private static Map<?, ?> afterApply(Map<String, String> environment, Map<String, String> before) {
        Properties properties = new Properties();
        properties.putAll(before);
        OfflineDefaults.apply(environment, properties);
        return properties;
    }

    private void assertBroken(String content, String expected) throws IOException {
        Path file = Files.writeString(folder.resolve("tokenizer.json"), content);
        String message = assertThrows(ModelFormatException.class, () -> LlamaTokenizer.open(file)).getMessage();
        assertTrue(message.contains(expected) && message.contains(file.toString()), message);
    }

    private void assertBroken(Consumer<ObjectNode> change, String expected) throws IOException {
        assertBroken(Files.readString(Tokenizers.changed(folder, change)), expected);
    }
}
