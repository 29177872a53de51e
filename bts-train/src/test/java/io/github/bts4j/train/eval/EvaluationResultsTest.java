package io.github.bts4j.train.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.train.data.Window;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Results survive a file, and tables say what differs. */
class EvaluationResultsTest {
    @TempDir
    private Path folder;

    /** Right on every item below a number. */
    private static EvaluationResult share(String model, String task, int right, int items) {
        boolean[] correct = new boolean[items];
        for (int i = 0; i < right; i++) {
            correct[i] = true;
        }
        return EvaluationResult.of(model, task, Metric.ACC, "items of " + task, ItemScores.of(correct));
    }

    private static EvaluationResult bits(String model, double more) {
        SplittableRandom random = new SplittableRandom(8);
        double[] nats = random.doubles(60, 400, 600).map(value -> value + more * random.nextDouble()).toArray();
        long[] bytes = random.longs(60, 400, 500).toArray();
        List<Window> windows = random.ints(60, 0, 9).mapToObj(id -> new Window("code", new int[] {id, 1}, List.of())).toList();
        return EvaluationResult.of(model, "code", windows, new WindowScores(nats, bytes, bytes));
    }

    private static EvaluationResults results() {
        return new EvaluationResults(Map.of("seed", "7", "hub", "a \"name\""), List.of(share("hub", "arc", 50, 100), share("code|1", "arc", 60, 100),
                share("bts", "arc", 62, 100), bits("hub", 20), bits("bts", 0)));
    }

    @Test
    void whatIsWrittenIsRead() throws Exception {
        Path file = folder.resolve("results.json");
        results().write(file);
        EvaluationResults read = EvaluationResults.read(file);
        assertEquals(results().metadata(), read.metadata());
        assertEquals(results().results().size(), read.results().size());
        for (int i = 0; i < read.results().size(); i++) {
            EvaluationResult wrote = results().results().get(i);
            EvaluationResult one = read.results().get(i);
            assertEquals(List.of(wrote.model(), wrote.task(), wrote.metric(), wrote.identity(), wrote.interval(), wrote.level()),
                    List.of(one.model(), one.task(), one.metric(), one.identity(), one.interval(), one.level()));
            assertArrayEquals(wrote.scores().values(), one.scores().values());
            assertArrayEquals(wrote.scores().weights(), one.scores().weights());
        }
        read.write(folder.resolve("again.json"));
        assertEquals(-1, Files.mismatch(file, folder.resolve("again.json")));
        assertTrue(Files.readString(file).startsWith("{\"schema\": \"bts4j-evaluation/1\",\n"));
        assertEquals(read.results().get(3).against(read.results().get(4)).difference(), bits("hub", 20).against(bits("bts", 0)).difference());
        EvaluationResults.EMPTY.write(file);
        assertEquals(EvaluationResults.EMPTY, EvaluationResults.read(file));
    }

    private void assertBad(String part, String from, String to) throws Exception {
        Path file = folder.resolve("bad.json");
        results().write(file);
        String text = Files.readString(file);
        assertTrue(text.contains(from), from);
        Files.writeString(file, text.replace(from, to));
        Harness.assertRefused(part, () -> EvaluationResults.read(file));
    }

    @Test
    void badFilesAreRefused() throws Exception {
        assertBad("schema = \"bts4j-evaluation/2\"", "evaluation/1", "evaluation/2");
        assertBad("value = 0.9", "\"value\":0.5", "\"value\":0.9");
        assertBad("field 'extra' must be one of", "\"level\":0.95", "\"level\":0.95,\"extra\":1");
        assertBad("metric = 'acc2'", "\"metric\":\"acc\"", "\"metric\":\"acc2\"");
        assertBad("not valid JSON", "\"results\"", "results");
        assertBad("count = 99, but there are 100", "\"count\":100", "\"count\":99");
        assertBad("field 'level' is \"x\"", "\"level\":0.95", "\"level\":\"x\"");
        assertBad("has two results of acc on 'arc'", "\"code|1\"", "\"hub\"");
    }

    @Test
    void laterResultsReplaceEarlierOnes() {
        EvaluationResults more = results().plus(new EvaluationResults(Map.of("seed", "8"), List.of(share("hub", "arc", 51, 100), share("new", "arc", 1, 100))));
        assertEquals(Map.of("seed", "8", "hub", "a \"name\""), more.metadata());
        assertEquals(List.of("hub", "code|1", "bts", "new"), more.models());
        assertEquals(0.51, more.find("hub", "arc", Metric.ACC).orElseThrow().interval().value(), 1e-12);
        assertEquals(Optional.empty(), more.find("hub", "arc", Metric.ACC_NORM));
        assertEquals(6, more.plus(List.of(share("hub", "arc", 52, 100))).results().size());
    }

    @Test
    void tablesMarkTheBestAndWhatDoesNotDiffer() {
        ResultsTable table = ResultsTable.of(results());
        double hub = bits("hub", 20).interval().value();
        double bts = bits("bts", 0).interval().value();
        assertEquals(String.format(java.util.Locale.ROOT, """
                | model | arc (acc, %% ↑) | code (bits\\_per\\_byte ↓) |
                |---|---:|---:|
                | hub | 50.0 | %.4f |
                | code\\|1 | 60.0† | – |
                | bts | **62.0** | **%.4f** |
                """, hub, bts), table.markdown());
        WindowScores.Interval arc = share("hub", "arc", 50, 100).interval();
        String intervals = table.markdownIntervals();
        assertTrue(intervals.contains(String.format(java.util.Locale.ROOT, "| hub | %.1f .. %.1f | ", 100 * arc.low(), 100 * arc.high())) && arc.low() < 0.5 && arc.high() > 0.5, intervals);
        assertTrue(intervals.lines().anyMatch(line -> line.startsWith("| code\\|1 | ") && line.endsWith(" | – |")), intervals);
        String html = table.html();
        assertTrue(html.contains(", n = 100, p = 0.5000 against the best\">60.0<sup>†</sup></td><td>–</td></tr>"), html);
        assertTrue(html.contains("<strong>62.0</strong>"), html);
        assertTrue(new ResultsTable(results(), List.of("hub"), List.of(new ResultsTable.Column("arc", Metric.ACC)), 0.05).markdown().contains("| **50.0** |"));
        EvaluationResults equal = EvaluationResults.EMPTY.plus(List.of(share("<a>", "t", 3, 9), share("b", "t", 3, 9)));
        assertTrue(ResultsTable.of(equal).markdown().contains("| &lt;a> | **33.3** |\n| b | **33.3** |"), ResultsTable.of(equal).markdown());
        assertTrue(ResultsTable.of(equal).html().contains("<th>&lt;a&gt;</th>"));
    }

    @Test
    void resultsOfOtherItemsAreNotCompared() {
        EvaluationResult other = EvaluationResult.of("b", "t", Metric.ACC, "other items", ItemScores.of(new boolean[9]));
        Harness.assertRefused("not of the same items", () -> ResultsTable.of(EvaluationResults.EMPTY.plus(List.of(share("a", "t", 3, 9), other))));
        Harness.assertRefused("alpha = 1.0", () -> new ResultsTable(results(), List.of(), List.of(), 1));
        Harness.assertRefused("neither may be blank", () -> share("", "t", 1, 2));
        Harness.assertRefused("neither correct (1) nor wrong", () -> EvaluationResult.of("a", "t", Metric.ACC, "", ItemScores.of(new double[] {0.5})));
    }
}
