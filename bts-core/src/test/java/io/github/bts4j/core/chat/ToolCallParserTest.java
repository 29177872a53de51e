package io.github.bts4j.core.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.bts4j.core.generate.GeneratedToken;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Calls as the models' documentation shows them, in pieces of every length; text that only begins like them. */
class ToolCallParserTest {
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"));

    private static LlamaTokenizer tokenizer;

    @BeforeAll
    static void open() {
        tokenizer = LlamaTokenizer.open(DATA.resolve("tokenizer"));
    }

    @AfterAll
    static void close() {
        tokenizer.close();
    }

    /** What a parser finds: text in quotes and calls, the pieces joined. */
    private static String read(ToolFormat format, String text, int pieceLength, int mostCalls) {
        ToolCallParser parser = new ToolCallParser(format, tokenizer, mostCalls);
        List<ToolCallEvent> events = new ArrayList<>();
        int ordinary = tokenizer.encodeOrdinary("a")[0];
        for (int i = 0; i < text.length(); i += pieceLength) {
            events.addAll(parser.push(new GeneratedToken(ordinary, text.substring(i, Math.min(text.length(), i + pieceLength)), 0, i)));
        }
        events.addAll(parser.end());
        StringBuilder found = new StringBuilder();
        boolean content = false;
        for (ToolCallEvent event : events) {
            if (event instanceof ToolCallEvent.Content more) {
                found.append(content ? "" : "<").append(more.text());
                content = true;
            } else if (event instanceof ToolCallEvent.Call call) {
                found.append(content ? ">" : "").append(" #").append(call.index()).append(' ').append(call.name()).append(' ');
                content = false;
            } else if (event instanceof ToolCallEvent.Arguments arguments) {
                found.append(arguments.text());
            }
        }
        return found.append(content ? ">" : "").toString().strip();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '§', quoteCharacter = '`', value = {
        "HERMES § <tool_call>~{'name': 'f', 'arguments': {'a': [1, {'b': '}'}]}}~</tool_call> § #0 f {'a': [1, {'b': '}'}]}",
        "HERMES § Let me see.~<tool_call>~{'name': 'f', 'arguments': {}}~</tool_call>~<tool_call>~{'name': 'g', 'arguments': {'x': 'y'}}~</tool_call> § <Let me see.~> #0 f {} #1 g {'x': 'y'}",
        "HERMES § <tool_call>{'arguments': {'a': 1}, 'name': 'f'}</tool_call> § #0 f {'a': 1}", "HERMES § <tool_call>{'name': 'f'}</tool_call> § #0 f {}",
        "HERMES § <tool_call>{'name': 'f', 'arguments': '{\\'a\\': 1}'}</tool_call> § #0 f {'a': 1}", "HERMES § a < b, and <tool> § <a < b, and <tool>>", "HERMES § <tool_call>oops</tool_call> § <<tool_call>oops</tool_call>>",
        "HERMES § <tool_call>{'a': 1}</tool_call> § <<tool_call>{'a': 1}>", "HERMES § {'name': 'f', 'arguments': {}} § <{'name': 'f', 'arguments': {}}>", "HERMES § <tool_ § <<tool_>",
        "HERMES § <tool_call>{'name': 'f', 'arguments': {'a': § #0 f {'a':",
        "MISTRAL § [TOOL_CALLS][{'name': 'f', 'arguments': {'a': 'é]'}}, {'name': 'g', 'arguments': {}}] § #0 f {'a': 'é]'} #1 g {}", "MISTRAL § [TOOL_CALLS] [{'name': 'f', 'arguments': {}}] § #0 f {}",
        "MISTRAL § [TOOL_CALLS]f[ARGS]{'a': {'b': 2}} § #0 f {'a': {'b': 2}}", "MISTRAL § [TOOL_CALLS]f[ARGS]{}[TOOL_CALLS]g{'x': 1} § #0 f {} #1 g {'x': 1}", "MISTRAL § [1, 2] § <[1, 2]>",
        "LLAMA3 § {'name': 'f', 'parameters': {'a': 1}} § #0 f {'a': 1}", "LLAMA3 § <|python_tag|>{'name': 'f', 'parameters': {'a': 1}} § #0 f {'a': 1}",
        "LLAMA3 § {'type': 'function', 'name': 'f', 'parameters': {}}; {'name': 'g', 'parameters': {}} § #0 f {} #1 g {}", "LLAMA3 § {'a': 1} § <{'a': 1}>",
        "LLAMA3 § An object: {'name': 'f', 'parameters': {}} § <An object: {'name': 'f', 'parameters': {}}>"})
    void calls(ToolFormat format, String text, String expected) {
        String answer = text.replace('\'', '"').replace('~', '\n');
        for (int length : new int[] {1, 2, 3, 7, 1000}) {
            assertEquals(expected.replace("\\'", "\"").replace('\'', '"').replace('~', '\n').replace("\\\"", "\""), read(format, answer, length, 9), "pieces of " + length);
        }
    }

    @Test
    void laterCallsAreDropped() {
        assertEquals("#0 f {}", read(ToolFormat.HERMES, "<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call><tool_call>{\"name\": \"g\", \"arguments\": {}}</tool_call>", 3, 1));
    }

    @ParameterizedTest
    @CsvSource({"trl/qwen2_5, HERMES", "axolotl/qwen3, HERMES", "axolotl/mistral_v3_tekken, MISTRAL", "axolotl/mistral_v2v3, MISTRAL", "trl/llama3_1, LLAMA3", "trl/llama3_2, LLAMA3", "trl/llama3,", "axolotl/chatml,",
        "trl/qwen3_6,"})
    void formatsOfTemplates(String template, ToolFormat format) throws IOException {
        String text = Files.readString(DATA.resolve("chat/templates/" + template + ".jinja"));
        assertEquals(Optional.ofNullable(format), ChatTemplate.jinja(text, "", "").toolFormat());
    }
}
