package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.train.RunDifference;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * Every command over every damaged and unfitting input: one line, in the command line's terms, and the documented status. The commands and their options
 * are those of the command line's own description, so that a new one is tried as well.
 */
class DamagedInputsTest {
    private static final Pattern CAMEL_CASE = Pattern.compile("(?<![\\w./-])[a-z]+[A-Z]\\w*");
    private static final Pattern JAVA = Pattern.compile("\tat |\\b(java|ai\\.djl|io\\.github|com\\.fasterxml|picocli)\\.|\\w+Exception\\b|\\w+Error\\b(?! rate)|[A-Z]\\w+\\[\\w+=|REDACTED|ResumeChange");
    private static final List<String> MODELS = List.of("MODEL", "HUB", "PATH");
    /** Commands that read no tokenizer, or copy it unread. */
    private static final List<String> TOKENLESS = List.of("plan", "inspect", "branch", "convert", "merge", "remove-expert");
    private static final int SHOWN = 700;

    @TempDir
    private static Path folder;

    private static DamagedInputs inputs;
    private static InputStream in;

    private record Result(int status, String out, String err) {}

    /** One call of a command: what is wrong with it, and which statuses are right. */
    private record Call(String what, List<String> arguments, List<Integer> statuses) {}

    @BeforeAll
    static void prepare() throws IOException {
        inputs = new DamagedInputs(Files.createDirectory(folder.resolve("inputs")));
        in = System.in;
        System.setIn(InputStream.nullInputStream());
    }

    @AfterAll
    static void restore() {
        System.setIn(in);
    }

    static Stream<String> commands() {
        PrintWriter nowhere = new PrintWriter(new StringWriter());
        return Bts.line(nowhere, nowhere).getSubcommands().keySet().stream();
    }

    private static CommandSpec spec(String command) {
        PrintWriter nowhere = new PrintWriter(new StringWriter());
        return Bts.line(nowhere, nowhere).getSubcommands().get(command).getCommandSpec();
    }

    private static Result bts(List<String> arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        return new Result(Bts.run(arguments.toArray(String[]::new), new PrintWriter(out), new PrintWriter(err)), out.toString(), err.toString());
    }

    /** A right value of every argument that a command needs; of a kind that is not known here, the test has to be told. */
    private static String valueOf(CommandSpec spec, ArgSpec argument) {
        String label = argument.paramLabel();
        if (argument instanceof OptionSpec option) {
            return switch (option.longestName()) {
                case "--out" -> inputs.folder.resolve("made").resolve(spec.name()).toString();
                case "--data" -> "code=" + inputs.text;
                case "--expert" -> "code=" + inputs.expert;
                case "--model" -> inputs.expert.toString();
                default -> throw new AssertionError(spec.name() + " needs " + option.longestName() + ": say here what a right value is");
            };
        }
        return switch (label) {
            case "MODEL", "HUB", "PATH" -> (spec.name().equals("export") ? inputs.stitched : inputs.seed).toString();
            case "STITCH" -> inputs.stitched.toString();
            case "OUT" -> inputs.folder.resolve("made").resolve(spec.name()).toString();
            case "DIR" -> inputs.folder.toString();
            case "PROMPT" -> "int";
            case "NAME" -> spec.name().equals("add-expert") ? "law" : "code";
            case "METHOD" -> "linear";
            case "COMMAND" -> "stitch";
            case "FILE" -> inputs.folder.resolve("experiment.yaml").toString();
            default -> throw new AssertionError(spec.name() + " needs " + label + ": say here what a right value is");
        };
    }

    /** A call with other values for some arguments; those that are null are left out. */
    private static List<String> call(CommandSpec spec, ArgSpec changed, String value) {
        List<String> call = new ArrayList<>(List.of(spec.name()));
        for (PositionalParamSpec parameter : spec.positionalParameters()) {
            int times = Math.max(1, parameter.arity().min());
            for (int i = 0; i < times; i++) {
                call.add(parameter == changed && i == 0 ? value : valueOf(spec, parameter));
            }
        }
        for (OptionSpec option : spec.options()) {
            if (option == changed) {
                call.add(option.longestName() + "=" + value);
            } else if (option.required()) {
                call.add(option.longestName() + "=" + valueOf(spec, option));
            }
        }
        return call;
    }

    private static void assertOneLine(Call call) {
        Result result = bts(call.arguments());
        String shown = call.what() + ": " + String.join(" ", call.arguments()) + "\n -> " + result.status() + "\n" + result.out() + result.err();
        assertTrue(call.statuses().contains(result.status()), shown);
        if (result.status() == 0) {
            return;
        }
        List<String> lines = result.err().lines().filter(line -> !line.contains(": skipped ")).toList();
        assertEquals(1, lines.size(), shown);
        String line = lines.get(0);
        assertTrue(line.startsWith("bts"), shown);
        assertTrue(line.length() < SHOWN, shown);
        String own = line;
        for (String argument : call.arguments()) { // paths and values may look like anything
            own = own.replace(argument, "").replace(argument.replaceFirst("^[^=]*=", ""), "");
        }
        own = own.replaceAll("(/[\\w.:-]+)+/?", "").replaceAll("'[^']*'", "");
        Matcher camel = CAMEL_CASE.matcher(own);
        assertFalse(camel.find(), () -> "a library's word: " + camel.group() + "\n" + shown);
        Matcher java = JAVA.matcher(own);
        assertFalse(java.find(), () -> "a word of Java: " + java.group() + "\n" + shown);
    }

    private static void assertOneLines(List<Call> calls) {
        assertAll(calls.stream().map(call -> (Executable) () -> assertOneLine(call)));
    }

    private static List<ArgSpec> arguments(CommandSpec spec, java.util.function.Predicate<ArgSpec> which) {
        List<ArgSpec> found = new ArrayList<>(spec.positionalParameters());
        found.addAll(spec.options());
        return found.stream().filter(which).toList();
    }

    private static boolean isModel(ArgSpec argument) {
        return argument instanceof OptionSpec option ? List.of("--expert", "--model", "--against", "--base").contains(option.longestName()) : MODELS.contains(argument.paramLabel());
    }

    @ParameterizedTest
    @MethodSource("commands")
    void damagedModels(String command) {
        CommandSpec spec = spec(command);
        List<Call> calls = new ArrayList<>();
        for (ArgSpec argument : arguments(spec, DamagedInputsTest::isModel)) {
            String prefix = argument instanceof OptionSpec option && option.longestName().equals("--expert") ? "code=" : "";
            for (Map.Entry<String, Path> model : inputs.models.entrySet()) {
                boolean weightsAlone = model.getKey().contains("safetensors") || model.getKey().contains("does not fit");
                boolean reads = command.equals("plan") && weightsAlone || command.equals("inspect") && model.getKey().contains("does not fit")
                        || command.equals("tokenize"); // reads the tokenizer alone
                calls.add(new Call(argument.paramLabel() + " is " + model.getKey(), call(spec, argument, prefix + model.getValue()), reads ? List.of(0, 1) : List.of(1)));
            }
        }
        assertOneLines(calls);
    }

    @ParameterizedTest
    @MethodSource("commands")
    void damagedStitches(String command) {
        CommandSpec spec = spec(command);
        List<Call> calls = new ArrayList<>();
        for (ArgSpec argument : arguments(spec, each -> each.paramLabel().equals("STITCH"))) {
            inputs.stitches.forEach((what, path) -> calls.add(new Call("STITCH is " + what, call(spec, argument, path.toString()), List.of(1))));
            inputs.models.forEach((what, path) -> calls.add(new Call("STITCH is " + what, call(spec, argument, path.toString()), List.of(1))));
        }
        for (ArgSpec argument : arguments(spec, each -> each instanceof PositionalParamSpec && List.of("MODEL", "PATH").contains(each.paramLabel()))) {
            inputs.stitches.forEach((what, path) -> {
                if (!what.equals("not a stitched model") && !command.equals("inspect")) {
                    boolean reads = command.equals("card") && what.contains("weights");
                    calls.add(new Call("MODEL is " + what, call(spec, argument, path.toString()), reads ? List.of(0, 1) : List.of(1)));
                }
            });
        }
        assertOneLines(calls);
    }

    /** Commands that turn text into tokens, or tokens into text, or that compare tokenizers, say what is wrong; others may not notice. */
    @ParameterizedTest
    @MethodSource("commands")
    void damagedTokenizers(String command) {
        CommandSpec spec = spec(command);
        List<Call> calls = new ArrayList<>();
        for (ArgSpec argument : arguments(spec, DamagedInputsTest::isModel)) {
            String prefix = argument instanceof OptionSpec option && option.longestName().equals("--expert") ? "code=" : "";
            for (Map.Entry<String, Path> model : inputs.tokenizers.entrySet()) {
                calls.add(new Call(argument.paramLabel() + " has a tokenizer " + model.getKey(), call(spec, argument, prefix + model.getValue()), TOKENLESS.contains(command) ? List.of(0, 1) : List.of(1)));
            }
        }
        assertOneLines(calls);
    }

    /** Models that are whole, and whose tokens mean something else. */
    @Test
    void anotherTokenizer() throws IOException {
        String seed = inputs.seed.toString();
        String other = inputs.anotherTokenizer.toString();
        String data = "--data=code=" + inputs.text;
        List<Call> calls = new ArrayList<>();
        calls.add(new Call("an expert's", List.of("stitch", seed, "--expert=code=" + other, data, "--out=" + inputs.folder.resolve("s")), List.of(1)));
        calls.add(new Call("a further expert's", List.of("add-expert", inputs.stitched.toString(), "law", other, inputs.folder.resolve("a").toString()), List.of(1)));
        calls.add(new Call("a part's", List.of("merge", "linear", "--model=" + seed, "--model=" + other, "--out=" + inputs.folder.resolve("m")), List.of(1)));
        calls.add(new Call("a model's to compare with", List.of("eval", seed, data, "--against=" + other), List.of(1)));
        assertOneLines(calls);
        for (Call call : calls) {
            String line = bts(call.arguments()).err();
            assertTrue(line.contains("Only models with the same tokenizer can be") && line.contains("token ") && line.contains(other), line);
        }
        Path mine = DamagedInputs.copy(inputs.seed, inputs.folder.resolve("mine"));
        Path out = inputs.folder.resolve("run-of-mine");
        List<String> train = List.of("train", mine.toString(), data, "--sequence=16", "--batch=1", "--steps=2", "--out=" + out);
        assertEquals(0, bts(train).status(), bts(train).err());
        Files.copy(inputs.anotherTokenizer.resolve("tokenizer.json"), mine.resolve("tokenizer.json"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        assertOneLine(new Call("the run's", train, List.of(1)));
        List<String> allowed = new ArrayList<>(train);
        allowed.add("--allow-change=data,configuration");
        String line = bts(allowed).err();
        assertTrue(line.contains("tokenizer: saved ") && line.contains(" with another folder starts a new one") && !line.contains("resumes it anyway"), line);
    }

    @ParameterizedTest
    @MethodSource("commands")
    void damagedTexts(String command) {
        CommandSpec spec = spec(command);
        List<Call> calls = new ArrayList<>();
        for (ArgSpec argument : arguments(spec, each -> each instanceof OptionSpec option && option.longestName().equals("--data"))) {
            inputs.texts.forEach((what, path) -> calls.add(new Call("--data is " + what, call(spec, argument, "code=" + path), List.of(1, 2))));
        }
        assertOneLines(calls);
    }

    /** Values that an option does not take are told with the option's name and what it takes, before anything is read. */
    @ParameterizedTest
    @MethodSource("commands")
    void wrongValues(String command) {
        CommandSpec spec = spec(command);
        List<Call> calls = new ArrayList<>();
        for (ArgSpec argument : arguments(spec, each -> true)) {
            boolean seed = argument instanceof OptionSpec option && option.longestName().equals("--seed");
            if (OptionRanges.isNumber(argument)) {
                if (!seed) {
                    Within range = OptionRanges.of(argument).orElseThrow(() -> new AssertionError(command + " " + OptionRanges.name(argument) + " has no @Within"));
                    calls.add(new Call("below", call(spec, argument, Double.toString(range.least() - 1).replace(".0", "")), List.of(2)));
                    calls.add(new Call("far below", call(spec, argument, "-1000000"), List.of(2)));
                    if (range.most() < Double.POSITIVE_INFINITY) {
                        calls.add(new Call("above", call(spec, argument, "2000000000"), List.of(2)));
                        calls.add(new Call("far above", call(spec, argument, "99999999999999999999"), List.of(2)));
                    }
                    calls.add(new Call("not a number", call(spec, argument, "NaN"), List.of(2)));
                }
                for (String text : List.of("abc", "", "0x10")) {
                    calls.add(new Call("no number", call(spec, argument, text), List.of(2)));
                }
            } else if (argument.type().isEnum()) {
                calls.add(new Call("no such word", call(spec, argument, "nonsense"), List.of(2)));
            } else if (argument instanceof OptionSpec option && argument.paramLabel().matches("\\w+=\\w+") && !option.longestName().equals("--model")) {
                calls.add(new Call("no pair", call(spec, argument, "nonsense"), List.of(2)));
            }
        }
        for (String option : List.of("--device", "--dtype")) {
            if (spec.findOption(option) != null) {
                calls.add(new Call("no such word", call(spec, spec.findOption(option), "nonsense"), List.of(2)));
                calls.add(new Call("no such word", call(spec, spec.findOption(option), "gpu99999999999999999999"), List.of(2)));
            }
        }
        if (spec.findOption("--device") != null) {
            calls.add(new Call("no such device", call(spec, spec.findOption("--device"), "gpu99"), List.of(1)));
        }
        assertOneLines(calls);
    }

    @ParameterizedTest
    @MethodSource("commands")
    void unknownAndMissingArguments(String command) {
        CommandSpec spec = spec(command);
        List<Call> calls = new ArrayList<>();
        List<String> whole = call(spec, null, null);
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
    @MethodSource("commands")
    void outputsThatCannotBe(String command) throws IOException {
        CommandSpec spec = spec(command);
        List<Call> calls = new ArrayList<>();
        Path file = inputs.folder.resolve("notes.txt");
        for (ArgSpec argument : arguments(spec, each -> each.paramLabel().equals("OUT") || each instanceof OptionSpec option && option.longestName().equals("--out"))) {
            calls.add(new Call("a file", call(spec, argument, file.toString()), List.of(1)));
            calls.add(new Call("below a file", call(spec, argument, file.resolve("out").toString()), List.of(1)));
            if (Files.isDirectory(Path.of("/proc/self"))) {
                calls.add(new Call("where nothing can be made", call(spec, argument, "/proc/bts4j"), List.of(1)));
            }
        }
        for (String option : List.of("--run", "--token-cache", "--frozen-state-cache")) {
            if (spec.findOption(option) != null) {
                calls.add(new Call("a file", call(spec, spec.findOption(option), file.toString()), List.of(1)));
                calls.add(new Call("below a file", call(spec, spec.findOption(option), file.resolve("x").toString()), List.of(1)));
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
