package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.checkpoint.SafetensorsFile;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.Init;
import io.github.bts4j.stitch.Member;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.stitch.baseline.RoutedExperts;
import io.github.bts4j.stitch.baseline.RouterCheckpoint;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** docs/checkpoint-format.md names the files, tensors and JSON keys that are really written, all of them and no others. */
class CheckpointFormatTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private static Path folder;

    private static String page;

    @BeforeAll
    static void write() throws IOException {
        page = Files.readString(Page.ROOT.resolve("docs/checkpoint-format.md"));
        DocumentedFiles.write(folder);
        done("train", folder.resolve("seed"), "--data", "code=" + folder.resolve("code.jsonl"), "--steps", 2, "--sequence", 16, "--batch", 2, "--out", folder.resolve("trained"));
        done("stitch", folder.resolve("seed"), "--expert", "code=" + folder.resolve("expert-code"), "--data", "code=" + folder.resolve("code.jsonl"), "--steps", 3,
                "--sequence", 16, "--batch", 2, "--hold-out", 10, "--validate-every", 1, "--measure-every", 1, "--token-cache", folder.resolve("tokens"),
                "--frozen-state-cache", folder.resolve("states"), "--out", folder.resolve("joined"));
    }

    private static void done(Object... arguments) {
        StringWriter out = new StringWriter();
        assertEquals(0, Bts.run(Stream.of(arguments).map(Object::toString).toArray(String[]::new), new PrintWriter(out), new PrintWriter(out)), out::toString);
    }

    /** The first column of a table of a section. */
    private static Set<String> documented(String section, String column) {
        Matcher text = Pattern.compile("(?m)^## " + Pattern.quote(section) + "\\n(?s:(.*?))(?=^## |\\z)").matcher(page);
        assertTrue(text.find(), section);
        Matcher table = Pattern.compile("(?m)^\\| " + column + " \\|.*\\n\\|[-|]+\\|\\n((?:\\|.*\\n)+)").matcher(text.group(1) + "\n");
        assertTrue(table.find(), section + " has no table of each " + column);
        Set<String> names = new TreeSet<>();
        Pattern.compile("(?m)^\\| `([^`]+)`").matcher(table.group(1)).results().forEach(row -> names.add(row.group(1)));
        return names;
    }

    /** Every name is of one documented form, in which capitals stand for something, and every form but the optional ones is there. */
    private static void assertNames(String section, String column, Set<String> optional, Stream<String> names) {
        Set<String> missing = documented(section, column);
        missing.removeAll(optional);
        names.forEach(name -> {
            List<String> forms = documented(section, column).stream().filter(form -> name.matches(expression(form))).toList();
            assertEquals(1, forms.size(), section + ": " + name + " is documented as " + forms);
            missing.remove(forms.get(0));
        });
        assertEquals(Set.of(), missing, section);
    }

    private static String expression(String form) {
        return form.replace(".", "\\.").replaceAll("HASH|KEY", "[0-9a-f]{16}").replaceAll("\\bNAME\\b", ".+").replaceAll("\\bNUMBER\\b", "\\\\d{5}").replaceAll("\\b[IJ]\\b", "\\\\d+");
    }

    private static void assertKeys(String section, JsonNode... objects) {
        Set<String> documented = documented(section, "key");
        Set<String> found = new TreeSet<>();
        for (JsonNode object : objects) {
            addKeys("", object, documented, found);
        }
        assertEquals(documented, found, section);
    }

    /** Paths down to what is documented; what is not documented is followed to its leaves. */
    private static void addKeys(String path, JsonNode node, Set<String> documented, Set<String> found) {
        if (documented.contains(path) || node.isValueNode() || node.isArray() && (node.isEmpty() || node.get(0).isValueNode())) {
            found.add(path);
        } else if (node.isArray()) {
            node.forEach(element -> addKeys(path + "[]", element, documented, found));
        } else {
            node.properties().forEach(field -> addKeys(path.isEmpty() ? field.getKey() : path + "." + field.getKey(), field.getValue(), documented, found));
        }
    }

    private static Stream<String> files(Path in) throws IOException {
        try (Stream<Path> files = Files.list(in)) {
            return files.map(file -> file.getFileName().toString()).toList().stream();
        }
    }

    private static Stream<String> tensors(Path in, String ending) throws IOException {
        try (Stream<Path> files = Files.list(in)) {
            return SafetensorsFile.open(files.filter(file -> file.toString().endsWith(ending)).findFirst().orElseThrow()).entries().stream().map(entry -> entry.name());
        }
    }

    private static JsonNode json(Path file) throws IOException {
        return JSON.readTree(Files.readAllBytes(file));
    }

    @Test
    void stitchCheckpoints() throws IOException {
        Path biased = folder.resolve("biased");
        try (StitchedModel model = StitchedModel.builder().hub(folder.resolve("seed")).expert("code", folder.resolve("expert-code"))
                .config(StitchConfig.evenly(4, 2).withInit(Init.HUB)).open()) {
            StitchCheckpoint.save(model, biased);
        }
        for (Path checkpoint : List.of(biased, folder.resolve("joined"))) {
            boolean average = !checkpoint.equals(biased);
            assertNames("Stitch checkpoint", "file", Set.of(), files(checkpoint));
            assertNames("Stitch checkpoint", "tensor", average ? Set.of("stitch.J.gate.bias") : Set.of(), tensors(checkpoint, ".safetensors"));
            assertKeys("stitch.json", json(checkpoint.resolve("stitch.json")));
        }
    }

    @Test
    void routerCheckpoints() throws IOException {
        Path checkpoint = folder.resolve("router");
        List<Member> members = List.of(new Member("seed", folder.resolve("seed")), new Member("code", folder.resolve("expert-code")));
        try (RoutedExperts routed = RoutedExperts.open(members, LoadOptions.defaults())) {
            RouterCheckpoint.save(routed, checkpoint);
        }
        assertNames("Router checkpoint", "file", Set.of(), files(checkpoint));
        assertNames("Router checkpoint", "tensor", Set.of(), tensors(checkpoint, ".safetensors"));
        assertKeys("router.json", json(checkpoint.resolve("router.json")));
    }

    @Test
    void runCheckpoints() throws IOException {
        Path run = folder.resolve("joined-run");
        Path checkpoint = run.resolve("checkpoint-0000000003");
        assertNames("Run checkpoint", "file", Set.of(), files(checkpoint));
        assertNames("Run checkpoint", "optimizer tensor", Set.of("average.NAME", "clipping_reference"), tensors(checkpoint, "optimizer.safetensors"));
        assertNames("Stitch checkpoint", "tensor", Set.of("stitch.J.gate.bias"), tensors(checkpoint, "weights.safetensors"));
        assertKeys("state.json", json(checkpoint.resolve("state.json")));
        assertKeys("metrics.jsonl", Files.readAllLines(run.resolve("metrics.jsonl")).stream().map(CheckpointFormatTest::row).toArray(JsonNode[]::new));
    }

    private static JsonNode row(String line) {
        try {
            return JSON.readTree(line);
        } catch (IOException e) {
            throw new AssertionError(line, e);
        }
    }

    /** What the page says of an expert's run: its weights are those of a Hugging Face checkpoint. */
    @Test
    void theWeightsOfARunAreAModels() throws IOException {
        Path checkpoint = folder.resolve("trained-run/checkpoint-0000000002");
        assertEquals(-1, Files.mismatch(folder.resolve("trained/model.safetensors"), checkpoint.resolve("weights.safetensors")));
    }

    @Test
    void caches() throws IOException {
        List<String> datasets = files(folder.resolve("tokens")).toList();
        assertTrue(datasets.size() == 1 && datasets.get(0).matches("[0-9a-f]{64}"), datasets.toString());
        Path dataset = folder.resolve("tokens").resolve(datasets.get(0));
        assertNames("Token cache", "file", Set.of(), files(dataset));
        assertKeys("dataset.json", json(dataset.resolve("dataset.json")));
        assertNames("Frozen-state cache", "file", Set.of(), files(folder.resolve("states")));
    }
}
