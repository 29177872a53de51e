package io.github.bts4j.examples.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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

    /** The description that the repository carries is read as it is. */
    @Test
    void thePapersExperimentIsWellFormed() throws IOException {
        ExperimentSpec spec = ExperimentSpec.read(Path.of("..", "experiment", "paper.yaml"));
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
            assertEquals(each.getValue(), StitchConfig.evenly(spec.model().layers(), stitch.stitches()).places());
            assertEquals(four, new Method.Stitch(four.stitches(), stitch.alternating(), stitch.dropout(), stitch.init(), stitch.models(), stitch.training(), stitch.seeds()));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            kind: stitch, stitches | kind: stitch, stiches | tiny.yaml:21: methods.BTS.stitches: a value is missing
            stitches: 2 | stitches: two | tiny.yaml:21: methods.BTS.stitches
            dropout: 0.1 | dropout: 0.1, drop: 1 | tiny.yaml:21: methods.BTS.drop
            dropout: 0.1, | | tiny.yaml:21: methods.BTS.dropout: a value is missing
            kind: stitch | kind: stich | 'stich'
            sequence-length: 48 | sequence-length: 48 48 | tiny.yaml:4: sequence-length
            general: english | output: elsewhere | tiny.yaml:5
            """)
    void whatIsWrongIsNamedWithItsPlace(String right, String wrong, String message) throws IOException {
        Path file = TinyExperiment.write(folder, BTS);
        Files.writeString(file, Files.readString(file).replace(right, wrong == null ? "" : wrong));
        String found = assertThrows(IllegalArgumentException.class, () -> ExperimentSpec.read(file)).getMessage();
        assertTrue(found.contains(message), found);
    }
}
