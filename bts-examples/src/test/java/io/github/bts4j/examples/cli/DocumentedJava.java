package io.github.bts4j.examples.cli;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/**
 * The Java of the documentation, compiled: a class as it stands, a fragment inside a method whose parameters are the variables that the pages use without
 * declaring them. Not for instances.
 */
final class DocumentedJava {
    /** What a name means in every fragment that does not declare it. */
    private static final Map<String, String> VARIABLES = new LinkedHashMap<>();
    private static final String[] OTHER_PACKAGES = {"ai.djl", "ai.djl.inference", "ai.djl.ndarray", "ai.djl.repository.zoo", "java.nio.file", "java.util"};

    static {
        VARIABLES.put("seed", "LlamaModel");
        VARIABLES.put("model", "StitchedModel");
        VARIABLES.put("tokenizer", "LlamaTokenizer");
        VARIABLES.put("folder", "Path");
        VARIABLES.put("run", "Path");
        VARIABLES.put("hubConfig", "LlamaConfig");
        VARIABLES.put("expertConfig", "LlamaConfig");
        VARIABLES.put("stitches", "StitchConfig");
        VARIABLES.put("mix", "Datamix");
        VARIABLES.put("heldOutWindows", "Map<String, List<Window>>");
        VARIABLES.put("tokenBytes", "TokenBytes");
        VARIABLES.put("config", "TrainerConfig");
        VARIABLES.put("schedule", "LearningRate");
        VARIABLES.put("steps", "long");
        VARIABLES.put("listener", "MetricsListener");
        VARIABLES.put("bosTokenId", "int");
        VARIABLES.put("key", "String");
    }

    private DocumentedJava() {}

    /** One source for the compiler. */
    private static final class Source extends SimpleJavaFileObject {
        private final Page.Block block;
        private final String text;
        private final int linesBefore;

        Source(Page.Block block, String path, String text, int linesBefore) {
            super(URI.create("string:///" + path), Kind.SOURCE);
            this.block = block;
            this.text = text;
            this.linesBefore = linesBefore;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }

        String place(long line) {
            return block.page() + ":" + (block.line() + line - 1 - linesBefore);
        }
    }

    /** Compiles blocks into a folder; what is wrong, with page and line. */
    static List<String> problems(List<Page.Block> blocks, Path folder) throws IOException {
        String imports = imports();
        List<Source> sources = new ArrayList<>();
        for (Page.Block block : blocks) {
            sources.add(source(block, sources.size(), imports));
        }
        DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        List<String> options = List.of("-proc:none", "-cp", System.getProperty("java.class.path"), "-d", folder.toString(), "-Xlint:deprecation,removal");
        compiler.getTask(null, null, found, options, null, sources).call();
        return found.getDiagnostics().stream().filter(problem -> problem.getKind() != Diagnostic.Kind.NOTE)
                .map(problem -> (problem.getSource() == null ? "" : ((Source) problem.getSource()).place(problem.getLineNumber())) + ": " + problem.getMessage(null)).toList();
    }

    private static Source source(Page.Block block, int number, String imports) {
        String own = "documented" + number;
        if (block.text().startsWith("import ")) {
            String name = block.text().replaceAll("(?s).*?\\bpublic (?:final )?(?:class|record|interface) (\\w+).*", "$1");
            return new Source(block, own + "/" + name + ".java", "package " + own + ";\n" + block.text(), 1);
        }
        String parameters = VARIABLES.entrySet().stream().filter(variable -> !declares(block.text(), variable.getKey()))
                .map(variable -> variable.getValue() + " " + variable.getKey()).collect(Collectors.joining(", "));
        return new Source(block, own + "/Fragment.java", "package " + own + ";\n" + imports + "class Fragment { void documented(" + parameters + ") throws Exception {\n"
                + block.text() + "}}\n", 2);
    }

    /** Whether a fragment declares a name: behind a type and before a value or the elements of a loop, or as a lambda's parameter. */
    private static boolean declares(String fragment, String name) {
        return Pattern.compile("[\\w>\\]] " + name + " ?[=:]|\\b" + name + " ->").matcher(fragment).find();
    }

    /** All packages of the libraries, the examples aside. */
    private static String imports() throws IOException {
        TreeSet<String> packages = new TreeSet<>(List.of(OTHER_PACKAGES));
        for (String module : List.of("core", "stitch", "train", "parquet", "server")) {
            Path sources = Page.ROOT.resolve("bts-" + module).resolve("src/main/java");
            try (Stream<Path> files = Files.walk(sources.resolve("io"))) {
                files.filter(file -> file.toString().endsWith("package-info.java"))
                        .forEach(file -> packages.add(sources.relativize(file.getParent()).toString().replace('/', '.').replace('\\', '.')));
            }
        }
        return packages.stream().map(name -> "import " + name + ".*; ").collect(Collectors.joining());
    }
}
