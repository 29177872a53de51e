package io.github.bts4j.examples.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.github.bts4j.stitch.StitchConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExperimentSpecTest {
    private static final String BTS = "  BTS: {kind: stitch, stitches: 2, alternating: true, dropout: 0.1, init: AVERAGE, models: [seed, code, math], training: short, seeds: [3]}";

    @TempDir
    private Path folder;

    @Test
    void pathsAreThoseBesideTheFile() throws IOException {
        ExperimentSpec spec = ExperimentSpec.read(TinyExperiment.write(folder, BTS));
        assertEquals(new ExperimentSpec.Files(folder.resolve("code.jsonl"), folder.resolve("code-held.jsonl")), spec.domains().get("code"));
        assertEquals(folder.resolve("out"), spec.output());
        assertEquals(0.25, spec.seed().switching());
        Method.Stitch stitch = assertInstanceOf(Method.Stitch.class, spec.methods().get("BTS"));
        assertEquals(List.of(3L), stitch.seeds());
    }

    /** The descriptions that the repository carries are read as they are. */
    @ParameterizedTest
    @ValueSource(strings = {"paper.yaml", "strong.yaml", "adapters.yaml", "owners.yaml"})
    void theRepositorysExperimentsAreWellFormed(String file) throws IOException {
        ExperimentSpec spec = ExperimentSpec.read(Path.of("..", "experiment", file));
        for (Method method : spec.methods().values()) {
            if (method instanceof Method.Trained trained) {
                assertTrue(spec.trainings().containsKey(trained.training()), trained.training());
            }
        }
        assertTrue(spec.methods().size() > 8, spec.methods().keySet().toString());
    }

    /** Table 5 of the paper: 1, 4 and 10 stitch layers, here in 10 Transformer layers, which differ in nothing else. */
    @Test
    void table5ComparesOneFourAndTenStitches() throws IOException {
        ExperimentSpec spec = ExperimentSpec.read(Path.of("..", "experiment", "paper.yaml"));
        Map<String, List<Integer>> places = Map.of("BTS K=1", List.of(10), "BTS", List.of(2, 5, 8, 10), "BTS K=10", List.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
        Method.Stitch four = assertInstanceOf(Method.Stitch.class, spec.methods().get("BTS"));
        for (Map.Entry<String, List<Integer>> each : places.entrySet()) {
            Method.Stitch stitch = assertInstanceOf(Method.Stitch.class, spec.methods().get(each.getKey()));
            assertEquals(each.getValue(), StitchConfig.evenly(assertInstanceOf(ExperimentSpec.ModelShape.class, spec.model()).layers(), stitch.stitches()).afterLayers());
            assertEquals(four, new Method.Stitch(four.stitches(), stitch.alternating(), stitch.dropout(), stitch.init(), stitch.models(), stitch.training(), stitch.seeds()));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            kind: stitch, stitches | kind: stitch, stiches | tiny.yaml:21: methods.BTS: the key 'stiches' is not known, did you mean 'stitches'?; known are
            kind: stitch | knd: stitch | tiny.yaml:21: methods.BTS: the key 'knd' is not known, did you mean 'kind'?
            kind: stitch | dropout2: stitch | tiny.yaml:21: methods.BTS: the key 'kind' is missing
            kind: stitch | kind: stich | tiny.yaml:21: methods.BTS.kind: 'stich' must be one of soup, ties,
            kind: stitch | kind: stich | did you mean 'stitch'?
            stitches: 2 | stitches: two | tiny.yaml:21: methods.BTS.stitches: 'two' is not a whole number
            stitches: 2 | stitches: 2.5 | tiny.yaml:21: methods.BTS.stitches: '2.5' is not a whole number
            stitches: 2 | stitches: [2] | tiny.yaml:21: methods.BTS.stitches: one value is needed, not a list
            stitches: 2 | stitches: | tiny.yaml:21: methods.BTS.stitches: a value is missing
            dropout: 0.1, | dropout: 0.1, drop: 1, | tiny.yaml:21: methods.BTS: the key 'drop' is not known; known are alternating, dropout
            dropout: 0.1, | | tiny.yaml:21: methods.BTS: the key 'dropout' is missing
            alternating: true | alternating: yes | tiny.yaml:21: methods.BTS.alternating: 'yes' must be true or false
            init: AVERAGE | init: AVERAGES | tiny.yaml:21: methods.BTS.init: 'AVERAGES' must be one of
            seeds: [3] | seeds: [three] | tiny.yaml:21: methods.BTS.seeds[0]: 'three' is not a whole number
            seeds: [3] | seeds: 3 | tiny.yaml:21: methods.BTS.seeds: a list is needed
            per-document: 10 | per-documents: 10 | tiny.yaml:10: domains.sums: the key 'per-documents' is not known, did you mean 'per-document'?; known are arithmetic, per-document, problems
            train: code.jsonl | trains: code.jsonl | tiny.yaml:8: domains.code: the key 'trains' is not known, did you mean 'train'?; known are held-out, train
            model: {hidden | modle: {hidden | tiny.yaml:11: the key 'modle' is not known, did you mean 'model'?
            model: {hidden-size: 16, intermediate-size: 24, layers: 4, heads: 2, deviation: 0.1} | model: 5 | tiny.yaml:11: model: a map of keys is needed
            sequence-length: 48 | sequence-length: 48 48 | tiny.yaml:4: sequence-length: '48 48' is not a whole number
            general: english | output: elsewhere | tiny.yaml:5
            general: english | general: [english | tiny.yaml:
            """)
    void whatIsWrongIsNamedWithItsPlace(String right, String wrong, String message) throws IOException {
        Path file = TinyExperiment.write(folder, BTS);
        Files.writeString(file, Files.readString(file).replace(right, wrong == null ? "" : wrong));
        String found = assertThrows(IllegalArgumentException.class, () -> ExperimentSpec.read(file)).getMessage();
        assertTrue(found.contains(message), found);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            sequence-length: 48 | sequence-length: 3 | sequence-length: 3 must be at least 4
            projection-rate: 0.1 | projection-rate: 0 | projection-rate: 0.0 must be above 0
            problems: 60 | problems: 9 | domains.sums.problems: 9 must be at least 10
            per-document: 10 | per-document: 0 | domains.sums.per-document: 0 must be at least 1
            hidden-size: 16 | hidden-size: 15 | model: LlamaConfig: headDim = 0 must be positive
            deviation: 0.1 | deviation: -0.1 | model.deviation: -0.1 must be above 0
            short: {steps: 4 | short: {steps: 0 | trainings.short: LearningRate.WarmupCosine:
            short: {steps: 4, batch: 2 | short: {steps: 4, batch: 0 | trainings.short: TrainerConfig: microBatch = 0
            weight-decay: 0.1 | weight-decay: -1 | seed: weightDecay = -1.0
            floor: 0.1 | floor: 2 | experts.code: LearningRate.WarmupCosine:
            mix: {code: 1} | mix: {} | experts.code.mix: {} must be one domain or more
            mix: {code: 1} | mix: {code: -1} | experts.code.mix.code: -1.0 must be above 0
            switching: 0.25 | switching: 1.25 | seed.switching: 1.25 must be at least 0 and below 1
            switching: 0, mix: {code: 1} | switching: 0.5, mix: {code: 1} | experts.code.switching: 0.5 must be 0: the mix has one domain
            stitches: 2 | stitches: 5 | methods.BTS: numStitches = 5 is outside 1 .. numLayers = 4
            dropout: 0.1 | dropout: 1.5 | methods.BTS: dropout = 1.5
            seeds: [3] | seeds: [3, 3] | methods.BTS.seeds: [3, 3] must be one number or more, each once
            seeds: [3] | seeds: [] | methods.BTS.seeds: [] must be one number or more
            models: [seed, code, math] | models: [seed] | methods.BTS.models: [seed] must be two models or more
            models: [seed, code, math] | models: [seed, code, code] | methods.BTS.models: [seed, code, code] must be two models or more, each once
            methods: | methods:%n  bts: {kind: soup} | methods.BTS: 'BTS' must be distinguished from 'bts' by letters and digits
            methods: | methods:%n  TIES: {kind: ties, density: 0, weight: 1} | methods.TIES.density: 0.0 must be above 0 and at most 1
            methods: | methods:%n  a: {kind: soup}%n  b: {kind: combined, of: [a], seeds: [0]} | methods.b.of: [a] must be two methods or more, each once
            methods: | methods:%n  a: {kind: soup}%n  b: {kind: combined, of: [a, a], seeds: [0]} | methods.b.of: [a, a] must be two methods or more, each once
            methods: | methods:%n  a: {kind: soup}%n  b: {kind: combined, of: [a, c], seeds: [0]} | methods.b.of (a method further up): 'c' must be one of [a]
            methods: | methods:%n  a: {kind: soup}%n  b: {kind: slices, of: a, expert: code, training: short, seeds: [0, 4]} | methods.b.seeds: [0, 4] must be among those of 'a', [0]
            tables: {} | newer-experts: {code-2: {of: law, training: brief}}%ntables: {} | newer-experts.code-2.of: 'law' must be one of [code, math]
            tables: {} | newer-experts: {code-2: {of: law, training: brief}}%ntables: {} | newer-experts.code-2.training: 'brief' must be one of [short]
            tables: {} | newer-experts: {math: {of: code, training: short}}%ntables: {} | newer-experts: 'math' must be a name that no other model or method has, by letters and digits
            windows: 4 | windows: 0 | evaluation.windows: 0 must be at least 1
            items: 4 | items: -4 | evaluation.items: -4 must be at least 0
            problems: 4 | problems: 0 | evaluation.problems: 0 must be at least 1
            evaluation: {domains: [english, code, math] | evaluation: {domains: [] | evaluation.domains: [] must be one domain or more
            """)
    void whatNoStageCouldWorkWithIsToldBefore(String right, String wrong, String message) throws IOException {
        Path file = TinyExperiment.write(folder, BTS);
        Files.writeString(file, Files.readString(file).replace(right, wrong.replace("%n", "\n")));
        String found = assertThrows(IllegalArgumentException.class, () -> ExperimentSpec.read(file)).getMessage();
        assertTrue(found.contains("- " + message) || found.contains(": " + message), found); // one alone follows the heading
    }

    /** Keys that are not known stand first, and what they were meant to be is not missing besides. */
    @Test
    void allThatIsWrongIsToldAtOnce() throws IOException {
        Path file = TinyExperiment.write(folder, BTS);
        Files.writeString(file, Files.readString(file).replace("sequence-length: 48", "sequence-length: much").replace("model: {", "modle: {").replace("tables: {}", "tabels: {}")
                .replace("heads: 2, ", "").replace("projection-rate: 0.1\n", ""));
        String found = assertThrows(IllegalArgumentException.class, () -> ExperimentSpec.read(file)).getMessage();
        List<String> lines = found.lines().map(line -> line.replace(folder + "/", "").replaceFirst("; known are .*", "")).toList();
        assertEquals(List.of("tiny.yaml: 4 problems", "  tiny.yaml:11: the key 'modle' is not known, did you mean 'model'?",
                "  tiny.yaml:22: the key 'tabels' is not known, did you mean 'tables'?", "  tiny.yaml:4: sequence-length: 'much' is not a whole number",
                "  tiny.yaml:1: the key 'projection-rate' is missing"), lines);
    }

    @Test
    void jsonIsReadAndCheckedLikewise() throws IOException {
        Path yaml = TinyExperiment.write(folder, BTS);
        Path json = folder.resolve("tiny.json");
        ObjectMapper writer = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
        writer.writeValue(json.toFile(), new YAMLMapper().readTree(yaml.toFile()));
        assertEquals(ExperimentSpec.read(yaml), ExperimentSpec.read(json));
        Files.writeString(json, Files.readString(json).replace("\"general\"", "\"genral\""));
        int line = Files.readString(json).lines().toList().indexOf("  \"genral\" : \"english\",") + 1;
        String found = assertThrows(IllegalArgumentException.class, () -> ExperimentSpec.read(json)).getMessage();
        assertTrue(found.contains("tiny.json:" + line + ": the key 'genral' is not known, did you mean 'general'?"), found);
    }

    @Test
    void anEmptyFileIsNoExperiment() throws IOException {
        Path file = Files.writeString(folder.resolve("empty.yaml"), "# nothing\n");
        assertTrue(assertThrows(IllegalArgumentException.class, () -> ExperimentSpec.read(file)).getMessage().contains("empty.yaml:1: the file is empty"));
    }
}
