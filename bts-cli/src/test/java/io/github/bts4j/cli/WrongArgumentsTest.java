package io.github.bts4j.cli;

import static io.github.bts4j.cli.CommandCalls.arguments;
import static io.github.bts4j.cli.CommandCalls.assertOneLine;
import static io.github.bts4j.cli.CommandCalls.assertOneLines;
import static io.github.bts4j.cli.CommandCalls.bts;
import static io.github.bts4j.cli.CommandCalls.spec;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.cli.CommandCalls.Call;
import io.github.bts4j.train.RunDifference;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Every option and argument with values that it does not take: one line, in the command line's terms. */
class WrongArgumentsTest {
    @TempDir
    private static Path folder;

    private static DamagedInputs inputs;
    private static CommandCalls valid;
    private static InputStream in;

    @BeforeAll
    static void prepare() throws IOException {
        inputs = new DamagedInputs(Files.createDirectory(folder.resolve("inputs")));
        valid = new CommandCalls(inputs);
        in = System.in;
        System.setIn(InputStream.nullInputStream());
    }

    @AfterAll
    static void restore() {
        System.setIn(in);
    }

    /** Values that an option does not take are told with the option's name and what it takes, before anything is read. */
    @ParameterizedTest
    @MethodSource("io.github.bts4j.cli.CommandCalls#commands")
    void wrongValues(String command) {
        CommandSpec spec = spec(command);
        List<Call> calls = new ArrayList<>();
        for (ArgSpec argument : arguments(spec, each -> true)) {
            boolean seed = argument instanceof OptionSpec option && option.longestName().equals("--seed");
            if (OptionRanges.isNumber(argument)) {
                if (!seed) {
                    Within range = OptionRanges.of(argument).orElseThrow(() -> new AssertionError(command + " " + OptionRanges.name(argument) + " has no @Within"));
                    calls.add(new Call("below", valid.call(spec, argument, Double.toString(range.least() - 1).replace(".0", "")), List.of(2)));
                    calls.add(new Call("far below", valid.call(spec, argument, "-1000000"), List.of(2)));
                    if (range.most() < Double.POSITIVE_INFINITY) {
                        calls.add(new Call("above", valid.call(spec, argument, "2000000000"), List.of(2)));
                        calls.add(new Call("far above", valid.call(spec, argument, "99999999999999999999"), List.of(2)));
                    }
                    calls.add(new Call("not a number", valid.call(spec, argument, "NaN"), List.of(2)));
                }
                for (String text : List.of("abc", "", "0x10")) {
                    calls.add(new Call("no number", valid.call(spec, argument, text), List.of(2)));
                }
            } else if (argument.type().isEnum()) {
                calls.add(new Call("no such word", valid.call(spec, argument, "nonsense"), List.of(2)));
            } else if (argument instanceof OptionSpec option && argument.paramLabel().matches("\\w+=\\w+") && !option.longestName().equals("--model")) {
                calls.add(new Call("no pair", valid.call(spec, argument, "nonsense"), List.of(2)));
            }
        }
        for (String option : List.of("--device", "--dtype")) {
            if (spec.findOption(option) != null) {
                calls.add(new Call("no such word", valid.call(spec, spec.findOption(option), "nonsense"), List.of(2)));
                calls.add(new Call("no such word", valid.call(spec, spec.findOption(option), "gpu99999999999999999999"), List.of(2)));
            }
        }
        if (spec.findOption("--device") != null) {
            calls.add(new Call("no such device", valid.call(spec, spec.findOption("--device"), "gpu99"), List.of(1)));
        }
        assertOneLines(calls);
    }

    @ParameterizedTest
    @MethodSource("io.github.bts4j.cli.CommandCalls#commands")
    void unknownAndMissingArguments(String command) {
        CommandSpec spec = spec(command);
        List<Call> calls = new ArrayList<>();
        List<String> whole = valid.call(spec, null, null);
        for (String more : List.of("--nonsense", "--nonsense=5", "-z")) {
            List<String> call = new ArrayList<>(whole);
            call.add(more);
            calls.add(new Call("unknown option", call, List.of(2)));
        }
        boolean open = spec.positionalParameters().stream().anyMatch(each -> each.arity().max() > 1_000);
        if (!open) {
            List<String> call = new ArrayList<>(whole);
            call.add("more");
            call.add("and more");
            calls.add(new Call("one too many", call, List.of(2)));
        }
        if (whole.size() > 1) {
            calls.add(new Call("nothing given", List.of(command), List.of(2)));
        }
        spec.options().stream().filter(each -> each.arity().min() > 0).forEach(option -> calls.add(new Call("no value", List.of(command, option.longestName()), List.of(2))));
        assertOneLines(calls);
    }

    /** A file where a folder is to be made, a path below a file, and a file system that takes nothing. */
    @ParameterizedTest
    @MethodSource("io.github.bts4j.cli.CommandCalls#commands")
    void outputsThatCannotBe(String command) throws IOException {
        CommandSpec spec = spec(command);
        List<Call> calls = new ArrayList<>();
        Path file = inputs.folder.resolve("notes.txt");
        for (ArgSpec argument : arguments(spec, each -> each.paramLabel().equals("OUT") || each instanceof OptionSpec option && option.longestName().equals("--out"))) {
            calls.add(new Call("a file", valid.call(spec, argument, file.toString()), List.of(1)));
            calls.add(new Call("below a file", valid.call(spec, argument, file.resolve("out").toString()), List.of(1)));
            if (Files.isDirectory(Path.of("/proc/self"))) {
                calls.add(new Call("where nothing can be made", valid.call(spec, argument, "/proc/bts4j"), List.of(1)));
            }
        }
        for (String option : List.of("--run", "--token-cache", "--frozen-state-cache")) {
            if (spec.findOption(option) != null) {
                calls.add(new Call("a file", valid.call(spec, spec.findOption(option), file.toString()), List.of(1)));
                calls.add(new Call("below a file", valid.call(spec, spec.findOption(option), file.resolve("x").toString()), List.of(1)));
            }
        }
        assertOneLines(calls);
        assertEquals("no model", Files.readString(file));
    }

    @Test
    void aCommandThatIsNotKnown() {
        assertOneLines(List.of(new Call("misspelt", List.of("evall"), List.of(2)), new Call("nonsense", List.of("nonsense", "x"), List.of(2)), new Call("unknown option", List.of("--nonsense"), List.of(2))));
        assertTrue(bts(List.of("evall")).err().startsWith("bts: there is no command 'evall', did you mean 'eval'?"), bts(List.of("evall")).err());
    }

    /** The words that are right, once each. */
    @Test
    void messagesHaveValueLimitAndFix() {
        String seed = inputs.seed.toString();
        assertEquals("bts generate: --max-tokens -1 is below 1; allowed: 1 to 1048576; bts generate --help shows more", bts(List.of("generate", seed, "x", "--max-tokens", "-1")).err().strip());
        assertEquals("bts generate: --top-p abc is not a number; allowed: above 0 and up to 1; bts generate --help shows more", bts(List.of("generate", seed, "x", "--top-p", "abc")).err().strip());
        assertTrue(bts(List.of("eval", seed, "--data", "code=" + inputs.texts.get("no JSON"))).err().strip().endsWith("or raise --max-bad-lines."));
        assertEquals("bts gates: " + seed + ": is not a stitched model: it has no stitch.json", bts(List.of("gates", seed, "--data", "code=" + inputs.text)).err().strip());
        String gpu = bts(List.of("generate", seed, "x", "--device", "gpu99")).err();
        assertTrue(gpu.startsWith("bts generate: --device gpu99 does not exist: libtorch finds "), gpu);
        String cut = bts(List.of("inspect", inputs.models.get("cut config").toString())).err();
        assertTrue(cut.contains("is not valid JSON at line 1, column ") && cut.contains("config.json"), cut);
        String inspect = bts(List.of("inspect", seed)).out();
        List<String> lines = inspect.lines().toList();
        assertTrue(lines.get(0).matches("Llama: [\\d,]+ parameters, [\\d,]+ bytes of FLOAT32 on disk; in memory [\\d,]+ bytes as float32, and 1,024 bytes of KV cache per token"), inspect);
        assertTrue(lines.get(1).startsWith("4 layers, hidden size 32, 2 heads"), inspect);
        assertEquals("hub or expert beside models of 4 layers, hidden size 32 and the same tokenizer", lines.get(4));
        assertEquals("", lines.get(5));
        assertEquals("hub or expert of " + seed + ": yes", bts(List.of("inspect", seed, "--with", seed)).out().lines().toList().get(4));
    }

    /** What was allowed to change is told in options as well. */
    @Test
    void whatARunGoesOnWithIsToldInOptions() {
        OptionWords words = new OptionWords(spec("train"));
        assertEquals("Resumed with --steps: saved 12, now 20", words.resumed(new RunDifference(RunDifference.CONFIGURATION, "totalSteps", "12", "20")));
        assertEquals("Resumed with --lr: saved 1.0E-4, now 0.5", words.resumed(new RunDifference(RunDifference.CONFIGURATION, "learningRate.peak", "1.0E-4", "0.5")));
        assertEquals("Resumed with different data", words.resumed(new RunDifference(RunDifference.DATA, "", "a".repeat(64), "b".repeat(64))));
    }

    /** A run that goes on with other options says which, and how to allow it. */
    @Test
    void anotherRunIsToldInOptions() {
        Path out = inputs.folder.resolve("run-of-two");
        List<String> two = List.of("train", inputs.seed.toString(), "--data", "code=" + inputs.text, "--sequence", "16", "--batch", "1", "--steps", "2", "--out", out.toString());
        assertEquals(0, bts(two).status(), bts(two).err());
        List<String> three = new ArrayList<>(two);
        three.addAll(List.of("--steps", "3", "--lr", "0.5"));
        String err = bts(three).err();
        assertTrue(err.contains("--steps: saved 2, now 3, ") && err.contains("--lr: saved 1.0E-4, now 0.5") && err.contains("--allow-change configuration resumes it anyway"), err);
        assertOneLine(new Call("another run", three, List.of(1)));
    }
}
