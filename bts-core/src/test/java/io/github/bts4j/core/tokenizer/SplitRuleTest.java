package io.github.bts4j.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The names of pre-tokenizers: each belongs to one rule, and docs/families.md lists all of them. */
class SplitRuleTest {
    @Test
    void thePageListsTheNames() throws IOException {
        Path page = Path.of(System.getProperty("bts4j.testData")).resolveSibling("docs").resolve("families.md");
        String line = Files.readAllLines(page).stream().filter(each -> each.contains("`tokenizer.ggml.pre` is one of")).findFirst().orElseThrow();
        List<String> names = Pattern.compile("`([^`]+)`").matcher(line.substring(line.indexOf("is one of"))).results().map(found -> found.group(1)).toList();
        assertEquals(SplitRule.known(), names);
        assertEquals(names.size(), names.stream().distinct().count(), "a name of two rules");
    }

    @Test
    void writtenNamesAreRead() {
        Arrays.stream(SplitRule.values()).forEach(rule -> assertSame(rule, SplitRule.of(Path.of("x.gguf"), rule.written())));
    }

    /** A tokenizer.json with the rule, normal form included, is written under the rule's name. */
    @ParameterizedTest
    @CsvSource({"qwen2, qwen2", "deepseek-r1-qwen, deepseek-r1-qwen", "tekken, tekken", "gpt-4o, gpt-4o", "dbrx, smaug-bpe", "smollm, smollm"})
    void filesAreWrittenUnderTheirName(String name, String written, @TempDir Path folder) throws IOException {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(Path.of(System.getProperty("bts4j.testData"), "gguf", "pre-" + name + ".gguf"))) {
            tokenizer.save(folder);
            assertEquals(written, GgufTokens.of(folder, tokenizer.vocabSize()).get("tokenizer.ggml.pre"));
        }
    }
}
