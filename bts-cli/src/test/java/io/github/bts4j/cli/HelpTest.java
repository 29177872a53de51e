package io.github.bts4j.cli;

import static io.github.bts4j.cli.Commands.bts;
import static io.github.bts4j.cli.Commands.done;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What commands say about themselves: help with examples, and schemas of run files. */
class HelpTest {
    @TempDir
    private static Path folder;

    /** The help of every command ends with examples of its own, which are right. */
    @Test
    void helpEndsWithExamples() throws IOException {
        PrintWriter nowhere = new PrintWriter(new StringWriter());
        for (CommandLine command : Bts.line(nowhere, nowhere).getSubcommands().values()) {
            String name = command.getCommandName();
            List<String> footer = List.of(command.getCommandSpec().usageMessage().footer());
            List<String> examples = footer.stream().filter(line -> line.startsWith("  bts ")).toList();
            assertEquals(List.of("", examples.size() == 1 ? "Example:" : "Examples:"), footer.subList(0, 2), name);
            assertTrue(!examples.isEmpty() && examples.size() <= 4 && examples.size() == footer.size() - 2, () -> name + ": " + footer);
            List<String> help = done(name, "--help").out().stripTrailing().lines().toList();
            assertEquals(examples, help.subList(help.size() - examples.size(), help.size()), name + ": each in a line of its own");
            List<String> settings = name.equals("stitch") ? List.of("hub: seed", "expert: {code: expert-code}", "data: {code: code.jsonl}", "out: stitched")
                    : List.of("model: seed", "data: {code: code.jsonl}", "out: expert-code");
            Path run = Files.write(folder.resolve("run.yaml"), settings);
            for (String example : examples) {
                List<String> words = Page.words(example.replace("run.yaml", run.toString()));
                assertEquals(List.of("bts", name), words.subList(0, 2), example);
                CommandLine line = Bts.line(nowhere, nowhere);
                line.parseArgs(RunFile.expand(words.subList(1, words.size()).toArray(String[]::new), line).arguments());
            }
        }
    }

    /** The schema knows what the documented run file has, and calls required what the command calls required. */
    @Test
    void schemasDescribeRunFiles() throws IOException {
        JsonNode schema = done("schema", "stitch").json();
        Path page = Path.of(System.getProperty("bts4j.testData")).getParent().resolve("docs/command-line.md");
        JsonNode yaml = new ObjectMapper(new com.fasterxml.jackson.dataformat.yaml.YAMLFactory())
                .readTree(Files.readString(page).replaceAll("(?s).*```yaml\\n(.*?)```.*", "$1"));
        yaml.fieldNames().forEachRemaining(key -> assertTrue(schema.get("properties").has(key), key));
        List<String> required = new ArrayList<>();
        schema.get("required").forEach(name -> required.add(name.asText()));
        assertEquals(java.util.Set.of("hub", "expert", "out", "data"), java.util.Set.copyOf(required));
        assertEquals("[\"off\",\"partial\",\"full\"]", schema.at("/properties/checkpointing/enum").toString());
        assertEquals("integer", schema.at("/properties/steps/type").asText());
        assertEquals("boolean", schema.at("/properties/rewind/type").asText());
        assertTrue(schema.at("/properties/steps/description").asText().contains("(default: 1000)"));
        assertTrue(done("schema", "train").json().get("required").toString().contains("model"));
        assertEquals(1, bts("schema", "serve").status());
    }
}
