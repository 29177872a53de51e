package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.examples.quickstart.SmallQuickStart;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/**
 * What README.md and docs show is true: Java compiles and runs, command lines run. The commands of a page run in its order, in a folder of its own
 * that holds {@link DocumentedFiles}; they are cut down by options behind their own.
 */
class DocumentationTest {
    /** Programs whose lines are not run, and why. */
    private static final Map<String, String> OTHER_PROGRAMS = Map.of(
            "mvn", "builds the project, of which this test is a part",
            "python3", "needs Python with PyTorch and transformers",
            "sudo", "installs programs",
            "pip", "installs PyTorch",
            "spark-submit", "needs a cluster",
            "export", "an environment variable");

    /** Programs in Java, and what makes them small. */
    private static final Map<String, List<String>> SMALLER_PROGRAMS = Map.of("io.github.bts4j.examples.benchmark.StitchBenchmark",
            List.of("--experts", "1", "--batch", "1", "--seq", "16", "--steps", "1", "--new-tokens", "2"));

    /** Programs in Java that are not run, and why. */
    private static final Map<String, String> OTHER_PROGRAMS_IN_JAVA = Map.of("io.github.bts4j.examples.stability.SpikeExperiment", "SpikeExperimentTest, a slow test, runs it",
            "Stitch", "the class of getting-started.md, which StitchProgramTest compiles and runs");

    /** Words of commands that are parsed but not run, and why. */
    private static final Map<String, String> PARSED_ONLY = Map.of("--device", "needs a GPU", "--download", "needs the Hub", "--master", "needs Apache Spark, with which bts-spark's tests run");

    /** What makes a command small; with --force where it writes, since what a page makes is there already for pages that begin with it. */
    private static final Map<String, List<String>> SMALLER = Map.ofEntries(
            Map.entry("train", List.of("--steps", "3", "--batch", "2", "--sequence", "16", "--force")),
            Map.entry("stitch", List.of("--steps", "3", "--batch", "2", "--sequence", "16", "--force")),
            Map.entry("train-stitches", List.of("--steps", "3", "--batch", "2", "--sequence", "16", "--force")),
            Map.entry("merge", List.of("--force")), Map.entry("convert", List.of("--force")), Map.entry("export", List.of("--force")), Map.entry("branch", List.of("--force")),
            Map.entry("branch --train", List.of("--steps", "3", "--batch", "2", "--sequence", "16", "--force")),
            Map.entry("add-expert", List.of("--force")), Map.entry("remove-expert", List.of("--force")), Map.entry("combine", List.of("--force")), Map.entry("replace-expert", List.of("--force", "--sequence", "64")),
            Map.entry("plan", List.of("--sequence", "64")), Map.entry("bench", List.of("--shape", "xs", "--types", "bfloat16", "--seconds", "0")),
            Map.entry("eval", List.of("--sequence", "64")),
            Map.entry("gates", List.of("--sequence", "32", "--windows", "2")),
            Map.entry("generate", List.of("--max-tokens", "4")),
            Map.entry("chat", List.of("--max-tokens", "4")),
            Map.entry("serve", List.of("--port", "0")));

    private static final Pattern SERVED = Pattern.compile("is served at (http://[^/]+)/v1");

    @TempDir
    private static Path prepared;

    @TempDir
    private Path folder;

    @BeforeAll
    static void prepare() throws IOException {
        DocumentedFiles.write(prepared);
    }

    private static CommandLine line(StringWriter out) {
        PrintWriter writer = new PrintWriter(out, true);
        return Bts.line(writer, writer);
    }

    private static List<Page.Block> javaBlocks(List<Page> pages) {
        return pages.stream().flatMap(page -> page.blocks().stream()).filter(block -> block.language().equals("java")).toList();
    }

    @Test
    void everyJavaExampleCompiles() throws IOException {
        List<Page.Block> blocks = javaBlocks(Page.all());
        assertTrue(blocks.size() >= 13, blocks.size() + " blocks");
        assertEquals("", String.join("\n", DocumentedJava.problems(blocks, folder)));
        for (String large : DocumentedJava.SMALLER.keySet()) {
            assertTrue(blocks.stream().anyMatch(block -> block.text().contains(large)), () -> "no page holds '" + large + "' any more");
        }
    }

    static Stream<Page> pagesWithJava() throws IOException {
        return Page.all().stream().filter(page -> !fragments(javaBlocks(List.of(page))).isEmpty());
    }

    /** All but classes, of which {@code StitchProgramTest} runs the one there is, and but what needs a GPU. */
    private static List<Page.Block> fragments(List<Page.Block> blocks) {
        return blocks.stream().filter(block -> !block.text().startsWith("import ") && !block.text().contains("Device.gpu(")).toList();
    }

    /** A page's fragments, one after the other in a process of its own, whose folder holds the files that they name. */
    @ParameterizedTest
    @MethodSource("pagesWithJava")
    void everyJavaFragmentRuns(Page page) throws Exception {
        DocumentedFiles.copy(prepared, folder);
        List<Page.Block> blocks = fragments(javaBlocks(List.of(page)));
        assertEquals(List.of(), DocumentedJava.problems(blocks, folder));
        List<String> names = IntStream.range(0, blocks.size()).mapToObj(DocumentedJava::name).toList();
        String printed = "\n" + java(page.toString(), DocumentedValues.class.getName(), names);
        for (int i = 0; i < names.size(); i++) {
            int from = i == 0 ? 0 : printed.indexOf("\n" + names.get(i - 1) + " done\n") + names.get(i - 1).length() + 6;
            String own = printed.substring(from, printed.indexOf("\n" + names.get(i) + " done\n"));
            assertEquals(blocks.get(i).text().contains("System.out"), !own.isBlank(), blocks.get(i).place() + " printed '" + own + "'");
        }
    }

    /** Runs a class in the test's folder, and gives what it printed. */
    private String java(String what, String mainClass, List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                folder + File.pathSeparator + System.getProperty("java.class.path"), mainClass));
        command.addAll(arguments);
        Path errors = folder.resolve("errors.txt");
        Process process = new ProcessBuilder(command).directory(folder.toFile()).redirectError(errors.toFile()).start();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            String printed = out.lines().map(line -> line + "\n").collect(Collectors.joining());
            assertEquals(0, process.waitFor(), () -> what + "\n" + printed + Commands.read(errors));
            return printed;
        } finally {
            process.destroyForcibly();
        }
    }

    /** This test would fail, and say where. */
    @Test
    void mistakesAreFound() throws IOException {
        Page.Block block = new Page.Block("page.md", "java", 10, "int tokens = 1;\ntrainer.run();\n");
        List<String> problems = DocumentedJava.problems(List.of(block), folder);
        assertTrue(problems.size() == 1 && problems.get(0).startsWith("page.md:11: "), problems.toString());
        assertEquals(List.of("./bts", "generate", "stitched", "public static"), Page.words("./bts generate stitched 'public static' # continues"));
        assertTrue(Page.all().stream().mapToInt(page -> page.commands().size()).sum() >= 40, "few commands were found");
    }

    static Stream<Page> pagesWithCommands() throws IOException {
        return Page.all().stream().filter(page -> !page.commands().isEmpty());
    }

    @ParameterizedTest
    @MethodSource("pagesWithCommands")
    void everyCommandRuns(Page page) throws Exception {
        DocumentedFiles.copy(prepared, folder);
        Page.Command served = null;
        for (Page.Command command : page.commands()) {
            String program = command.words().get(0);
            if (program.equals("./bts")) {
                run(command, server -> HttpRequest.newBuilder(server.resolve("/health")).build());
                served = command.words().get(1).equals("serve") ? command : served;
            } else if (program.equals("curl")) {
                run(Objects.requireNonNull(served, () -> command + ": the page serves nothing before it"), server -> curl(command, server));
            } else if (program.equals("java")) {
                runJava(command);
            } else {
                assertTrue(OTHER_PROGRAMS.containsKey(program), () -> command + ": run it, or say why not");
            }
        }
    }

    private void runJava(Page.Command command) throws Exception {
        List<String> words = command.words().stream().dropWhile(word -> !word.startsWith("io.github.") && !OTHER_PROGRAMS_IN_JAVA.containsKey(word)).toList();
        if (!OTHER_PROGRAMS_IN_JAVA.containsKey(words.get(0))) {
            List<String> arguments = new ArrayList<>(words.subList(1, words.size()));
            arguments.addAll(SMALLER_PROGRAMS.getOrDefault(words.get(0), List.of()));
            assertTrue(!java(command.toString(), words.get(0), arguments).isBlank(), () -> command + " printed nothing");
        }
    }

    /** What curl would send, to another address. */
    private static HttpRequest curl(Page.Command command, URI server) {
        HttpRequest.Builder request = HttpRequest.newBuilder();
        Iterator<String> words = command.words().listIterator(1);
        while (words.hasNext()) {
            String word = words.next();
            if (word.equals("-H")) {
                String[] header = words.next().split(": ", 2);
                request.header(header[0], header[1]);
            } else if (word.equals("-d")) {
                request.POST(HttpRequest.BodyPublishers.ofString(words.next()));
            } else {
                assertTrue(word.startsWith("http://127.0.0.1:8080/"), () -> command + ": '" + word + "' is not understood");
                request.uri(server.resolve(URI.create(word).getPath()));
            }
        }
        return request.build();
    }

    /** Runs a command; a server is asked a question. */
    private void run(Page.Command command, Function<URI, HttpRequest> question) throws Exception {
        if (!command.content().isEmpty()) {
            Files.writeString(folder.resolve(command.file()), command.content());
        }
        List<String> words = new ArrayList<>(command.words().subList(1, command.words().size()));
        String name = words.get(0);
        if (words.size() > 1 && words.get(1).endsWith(".yaml")) {
            words.set(1, folder.resolve(words.get(1)).toString());
        }
        StringWriter out = new StringWriter();
        CommandLine line = line(out).registerConverter(Path.class, text -> folder.resolve(text));
        words = inFolder(RunFile.expand(words.toArray(String[]::new), line).arguments());
        words.addAll(SMALLER.getOrDefault(words.contains("--train") ? name + " --train" : name, List.of()));
        String[] arguments = words.toArray(String[]::new);
        if (words.stream().anyMatch(PARSED_ONLY::containsKey)) {
            line.parseArgs(arguments);
        } else if (name.equals("serve")) {
            HttpResponse<String> answer = serve(line, arguments, out, question);
            assertEquals(200, answer.statusCode(), () -> command + "\n" + answer.body());
        } else if (name.equals("quickstart")) {
            line.parseArgs(arguments);
            SmallQuickStart.run(folder.resolve("quickstart-out"), 0);
        } else {
            InputStream before = System.in;
            System.setIn(new ByteArrayInputStream("Hello\n".getBytes(StandardCharsets.UTF_8)));
            try {
                assertEquals(0, line.execute(arguments), () -> command + "\n" + out);
            } finally {
                System.setIn(before);
            }
        }
    }

    /** Paths inside of options; those that are options of their own are resolved by the converter. */
    private List<String> inFolder(String[] arguments) {
        List<String> words = new ArrayList<>();
        String before = "";
        for (String word : arguments) {
            String option = word.replaceFirst("=.*", "");
            if (List.of("--data", "--expert").contains(before)) {
                word = resolved("", word);
            } else if (List.of("--data", "--expert").contains(option) && !option.equals(word)) {
                word = resolved(option + "=", word.substring(option.length() + 1));
            } else if (before.equals("--model")) {
                word = folder.resolve(word).toString(); // a weight may follow
            }
            words.add(word);
            before = word;
        }
        return words;
    }

    private String resolved(String option, String pair) {
        int at = pair.indexOf('=');
        return option + pair.substring(0, at + 1) + folder.resolve(pair.substring(at + 1));
    }

    private static HttpResponse<String> serve(CommandLine line, String[] arguments, StringWriter out, Function<URI, HttpRequest> question) throws Exception {
        CompletableFuture<Integer> status = new CompletableFuture<>();
        Thread server = new Thread(() -> status.complete(line.execute(arguments)));
        server.start();
        Matcher served = SERVED.matcher(out.toString());
        while (!served.find()) {
            assertEquals(null, ended(status), () -> String.join(" ", arguments) + " ended\n" + out);
            served = SERVED.matcher(out.toString());
        }
        HttpResponse<String> answer = HttpClient.newHttpClient().send(question.apply(URI.create(served.group(1))), HttpResponse.BodyHandlers.ofString());
        server.interrupt();
        assertEquals(0, status.get(5, TimeUnit.MINUTES), out::toString);
        return answer;
    }

    private static Integer ended(CompletableFuture<Integer> status) throws InterruptedException, ExecutionException {
        try {
            return status.get(20, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            return null;
        }
    }

    /** A reason that no line of the documentation needs any more is no reason. */
    @Test
    void everyExceptionIsNeeded() throws IOException {
        TreeSet<String> words = new TreeSet<>();
        Page.all().forEach(page -> page.commands().forEach(command -> words.addAll(List.of("./bts", "java").contains(command.words().get(0)) ? command.words()
                : command.words().subList(0, 1))));
        Stream.of(OTHER_PROGRAMS, PARSED_ONLY, OTHER_PROGRAMS_IN_JAVA, SMALLER_PROGRAMS).flatMap(reasons -> reasons.keySet().stream()).forEach(word -> assertTrue(words.contains(word), word));
    }
}
