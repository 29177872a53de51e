package io.github.bts4j.cli;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
 * The Java of the documentation, compiled: a class as it stands, a fragment inside a method whose parameters are the variables that it uses without
 * declaring them ({@link DocumentedValues}). Not for instances.
 */
final class DocumentedJava {
    /** What makes a fragment small. */
    static final Map<String, String> SMALLER = Map.of("TrainerConfig.of(2000, 4, 256, new LearningRate.WarmupLinear(1e-4, 100, 2000, 0)).withCheckpoints(100, 2)",
            "TrainerConfig.of(6, 2, 32, new LearningRate.WarmupLinear(1e-4, 2, 6, 0)).withCheckpoints(2, 2)");

    private static final String[] OTHER_PACKAGES = {"ai.djl", "ai.djl.inference", "ai.djl.ndarray", "ai.djl.repository.zoo", "dev.langchain4j.model.chat",
        "dev.langchain4j.model.chat.response", "io.micrometer.core.instrument", "io.micrometer.core.instrument.simple", "java.nio.file", "java.util"};

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
        List<String> options = List.of("-proc:none", "-cp", System.getProperty("java.class.path"), "-d", folder.toString(), "-parameters", "-Xlint:deprecation,removal");
        compiler.getTask(null, null, found, options, null, sources).call();
        return found.getDiagnostics().stream().filter(problem -> problem.getKind() != Diagnostic.Kind.NOTE)
                .map(problem -> (problem.getSource() == null ? "" : ((Source) problem.getSource()).place(problem.getLineNumber())) + ": " + problem.getMessage(null)).toList();
    }

    private static Source source(Page.Block block, int number, String imports) {
        String own = name(number);
        if (block.text().startsWith("import ")) {
            String name = block.text().replaceAll("(?s).*?\\bpublic (?:final )?(?:class|record|interface) (\\w+).*", "$1");
            return new Source(block, own + "/" + name + ".java", "package " + own + ";\n" + block.text(), 1);
        }
        String text = block.text();
        for (Map.Entry<String, String> smaller : SMALLER.entrySet()) {
            text = text.replace(smaller.getKey(), smaller.getValue());
        }
        String parameters = DocumentedValues.TYPES.entrySet().stream().filter(variable -> needs(block.text(), variable.getKey()))
                .map(variable -> variable.getValue() + " " + variable.getKey()).collect(Collectors.joining(", "));
        return new Source(block, own + "/Fragment.java", "package " + own + ";\n" + imports + "public class Fragment { public static void documented(" + parameters
                + ") throws Exception {\n" + text + "}}\n", 2);
    }

    /** The package of a block's class. */
    static String name(int number) {
        return "documented" + number;
    }

    private static boolean needs(String fragment, String name) {
        return Pattern.compile("(?<![\\w.\"])" + name + "\\b(?!\")").matcher(fragment).find() && !declares(fragment, name);
    }

    /** Whether a fragment declares a name: behind a type and before a value or the elements of a loop, or as a lambda's parameter. */
    private static boolean declares(String fragment, String name) {
        return Pattern.compile("[\\w>\\]] " + name + " ?[=:]|\\b" + name + " ->").matcher(fragment).find();
    }

    /** All packages of the libraries, the examples aside. */
    private static String imports() throws IOException {
        TreeSet<String> packages = new TreeSet<>(List.of(OTHER_PACKAGES));
        for (String module : List.of("core", "stitch", "train", "parquet", "server", "langchain4j")) {
            Path sources = Page.ROOT.resolve("bts-" + module).resolve("src/main/java");
            try (Stream<Path> files = Files.walk(sources.resolve("io"))) {
                files.filter(file -> file.toString().endsWith("package-info.java"))
                        .forEach(file -> packages.add(sources.relativize(file.getParent()).toString().replace('/', '.').replace('\\', '.')));
            }
        }
        return packages.stream().map(name -> "import " + name + ".*; ").collect(Collectors.joining());
    }
}
