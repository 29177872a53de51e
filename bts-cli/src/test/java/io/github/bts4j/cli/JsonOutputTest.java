package io.github.bts4j.cli;

import static io.github.bts4j.cli.Commands.done;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What commands print with {@code --json}. */
class JsonOutputTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private static Path folder;

    private static Path seed;
    private static Path code;

    @BeforeAll
    static void prepare() throws IOException {
        seed = Commands.seed(folder.resolve("seed"));
        code = Commands.corpus("code", folder);
    }

    /** One object on standard output, and nothing beside it: what it says is what lies there. */
    @Test
    void whatWasMadeIsToldAsJson() throws IOException {
        Path expert = folder.resolve("json-expert");
        String[] short32 = {"--steps", "4", "--sequence", "32", "--batch", "2", "--json"};
        JsonNode trained = trained("train", expert, short32, seed, "--data", "code=" + code, "--hold-out", 9);
        assertEquals(trained.at("/loss").asDouble(), trained.at("/loss_by_domain/code").asDouble(), 1e-9, "of one domain");
        assertEquals(4, trained.at("/validation/step").asLong());
        assertTrue(trained.at("/validation/bits_per_byte/code").asDouble() > 1, trained.toString());
        assertFalse(done("train", seed, "--data", "code=" + code, "--hold-out", 9, "--steps", 4, "--sequence", 32, "--batch", 2, "--out", expert, "--json").json().has("loss"),
                "the run was over before");

        Path stitched = folder.resolve("json-stitched");
        JsonNode stitch = trained("stitch", stitched, short32, seed, "--expert", "code=" + expert, "--stitches", 2, "--data", "code=" + code);
        assertEquals("[\"hub\",\"code\"]", stitch.get("models").toString());
        assertEquals(done("inspect", stitched, "--json").json().get("parameters").asLong(), stitch.get("stitch_parameters").asLong());
        Path three = folder.resolve("json-three");
        assertEquals("[\"hub\",\"code\",\"more\"]", made(three, "add-expert", stitched, "more", expert, three, "--json").get("models").toString());
        Path two = folder.resolve("json-two");
        assertEquals("[\"hub\",\"more\"]", made(two, "remove-expert", three, "code", two, "--json").get("models").toString());
        trained("train-stitches", folder.resolve("json-further"), short32, two, "--data", "code=" + code);

        Path converted = folder.resolve("json-converted");
        made(converted, "convert", seed, converted, "--json");
        Path merged = folder.resolve("json-merged");
        assertEquals("linear", made(merged, "merge", "linear", "--model", seed, "--model", expert, "--out", merged, "--json").get("method").asText());
        JsonNode copies = done("branch", seed, folder.resolve("json-a"), folder.resolve("json-b"), "--json").json().get("copies");
        assertEquals(folder.resolve("json-b").toString(), copies.at("/1/out").asText());
        assertEquals(files(folder.resolve("json-b")), copies.at("/1/bytes").asLong());
        assertTrue(done("generate", seed, "It", "--max-tokens", 3, "--json").json().get("tokens_per_second").asDouble() > 0);
    }

    private static JsonNode trained(String command, Path out, String[] options, Object... arguments) throws IOException {
        List<Object> all = new ArrayList<>(List.of(command));
        all.addAll(List.of(arguments));
        all.addAll(List.of(options));
        all.addAll(List.of("--out", out));
        JsonNode result = made(out, all.toArray());
        JsonNode last = null;
        for (String line : Files.readAllLines(Path.of(result.get("run").asText()).resolve("metrics.jsonl"))) {
            last = line.contains("\"learning_rate\"") ? JSON.readTree(line) : last;
        }
        assertEquals(4, result.get("steps").asLong());
        assertEquals(last.get("loss").asDouble(), result.get("loss").asDouble(), 1e-6);
        assertEquals(4 * 2 * 32, result.get("tokens").asLong());
        assertTrue(result.get("tokens_per_second").asDouble() > 0);
        return result;
    }

    private static JsonNode made(Path out, Object... arguments) throws IOException {
        JsonNode result = done(arguments).json();
        assertEquals(out.toString(), result.get("out").asText());
        assertEquals(files(out), result.get("bytes").asLong());
        assertTrue(result.get("seconds").asDouble() > 0);
        return result;
    }

    /** Bytes of a folder's files. */
    private static long files(Path folder) {
        return java.util.Arrays.stream(folder.toFile().listFiles()).mapToLong(java.io.File::length).sum();
    }

    /** All but a conversation, and a schema, which is JSON in any case. */
    @Test
    void everyCommandPrintsJson() {
        PrintWriter nowhere = new PrintWriter(new StringWriter());
        List<String> without = Bts.line(nowhere, nowhere).getSubcommands().values().stream().filter(command -> command.getCommandSpec().findOption("--json") == null)
                .map(CommandLine::getCommandName).toList();
        assertEquals(List.of("chat", "schema"), without);
    }
}
