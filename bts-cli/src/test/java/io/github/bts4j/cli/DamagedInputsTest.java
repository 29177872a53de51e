package io.github.bts4j.cli;

import static io.github.bts4j.cli.CommandCalls.arguments;
import static io.github.bts4j.cli.CommandCalls.assertOneLine;
import static io.github.bts4j.cli.CommandCalls.assertOneLines;
import static io.github.bts4j.cli.CommandCalls.bts;
import static io.github.bts4j.cli.CommandCalls.spec;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.cli.CommandCalls.Call;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Every command over every damaged and unfitting input: one line, in the command line's terms, and the documented status; see {@link CommandCalls}. */
class DamagedInputsTest {
    private static final List<String> MODELS = List.of("MODEL", "HUB", "PATH");

    /** Commands that read no tokenizer, or copy it unread. */
    private static final List<String> TOKENLESS = List.of("plan", "inspect", "branch", "convert", "merge", "remove-expert");

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

    private static boolean isModel(ArgSpec argument) {
        return argument instanceof OptionSpec option ? List.of("--expert", "--model", "--against", "--base").contains(option.longestName()) : MODELS.contains(argument.paramLabel());
    }

    @ParameterizedTest
    @MethodSource("io.github.bts4j.cli.CommandCalls#commands")
    void damagedModels(String command) {
        CommandSpec spec = spec(command);
        List<Call> calls = new ArrayList<>();
        for (ArgSpec argument : arguments(spec, DamagedInputsTest::isModel)) {
            String prefix = argument instanceof OptionSpec option && option.longestName().equals("--expert") ? "code=" : "";
            for (Map.Entry<String, Path> model : inputs.models.entrySet()) {
                boolean weightsAlone = model.getKey().contains("safetensors") || model.getKey().contains("does not fit");
                boolean reads = command.equals("plan") && weightsAlone || command.equals("inspect") && model.getKey().contains("does not fit")
                        || command.equals("tokenize"); // reads the tokenizer alone
                calls.add(new Call(argument.paramLabel() + " is " + model.getKey(), valid.call(spec, argument, prefix + model.getValue()), reads ? List.of(0, 1) : List.of(1)));
            }
        }
        assertOneLines(calls);
    }

    /** What does not fit is shown nevertheless, and said. */
    @Test
    void inspectSaysWhatContradictsTheConfiguration() throws IOException {
        String wide = inputs.models.get("a config that does not fit").toString();
        List<String> lines = bts(List.of("inspect", wide)).out().lines().toList();
        assertTrue(lines.get(5).startsWith("cannot be loaded: " + wide + ": tensors do not fit config.json: ") && lines.get(5).contains("model.embed_tokens.weight' has shape [") && lines.get(6).isEmpty(), lines.toString());
        assertFalse(Commands.done("inspect", wide, "--json").json().get("tensors_fit").asBoolean(true));
        JsonNode seed = Commands.done("inspect", inputs.seed, "--json").json();
        assertTrue(seed.get("tensors_fit").asBoolean() && !seed.has("reason"), seed.toString());
    }

    @ParameterizedTest
    @MethodSource("io.github.bts4j.cli.CommandCalls#commands")
    void damagedStitches(String command) {
        CommandSpec spec = spec(command);
        List<Call> calls = new ArrayList<>();
        for (ArgSpec argument : arguments(spec, each -> each.paramLabel().equals("STITCH"))) {
            inputs.stitches.forEach((what, path) -> calls.add(new Call("STITCH is " + what, valid.call(spec, argument, path.toString()), List.of(1))));
            inputs.models.forEach((what, path) -> calls.add(new Call("STITCH is " + what, valid.call(spec, argument, path.toString()), List.of(1))));
        }
        for (ArgSpec argument : arguments(spec, each -> each instanceof PositionalParamSpec && List.of("MODEL", "PATH").contains(each.paramLabel()))) {
            inputs.stitches.forEach((what, path) -> {
                if (!what.equals("not a stitched model") && !command.equals("inspect")) {
                    boolean reads = command.equals("card") && what.contains("weights");
                    calls.add(new Call("MODEL is " + what, valid.call(spec, argument, path.toString()), reads ? List.of(0, 1) : List.of(1)));
                }
            });
        }
        assertOneLines(calls);
    }

    /** Commands that turn text into tokens, or tokens into text, or that compare tokenizers, say what is wrong; others may not notice. */
    @ParameterizedTest
    @MethodSource("io.github.bts4j.cli.CommandCalls#commands")
    void damagedTokenizers(String command) {
        CommandSpec spec = spec(command);
        List<Call> calls = new ArrayList<>();
        for (ArgSpec argument : arguments(spec, DamagedInputsTest::isModel)) {
            String prefix = argument instanceof OptionSpec option && option.longestName().equals("--expert") ? "code=" : "";
            for (Map.Entry<String, Path> model : inputs.tokenizers.entrySet()) {
                calls.add(new Call(argument.paramLabel() + " has a tokenizer " + model.getKey(), valid.call(spec, argument, prefix + model.getValue()), TOKENLESS.contains(command) ? List.of(0, 1) : List.of(1)));
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
    @MethodSource("io.github.bts4j.cli.CommandCalls#commands")
    void damagedTexts(String command) {
        CommandSpec spec = spec(command);
        List<Call> calls = new ArrayList<>();
        for (ArgSpec argument : arguments(spec, each -> each instanceof OptionSpec option && option.longestName().equals("--data"))) {
            inputs.texts.forEach((what, path) -> calls.add(new Call("--data is " + what, valid.call(spec, argument, "code=" + path), List.of(1, 2))));
        }
        assertOneLines(calls);
    }
}
