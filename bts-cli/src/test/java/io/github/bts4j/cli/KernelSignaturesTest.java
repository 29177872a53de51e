package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Every kernel that Java declares is there in TorchScript with the same name, parameters (number, names, types, order) and result; every kernel that is there
 * is called, from Java or by another one.
 */
class KernelSignaturesTest {
    private static final Path ROOT = Path.of(System.getProperty("bts4j.testData")).getParent();
    private static final Pattern SOURCE = Pattern.compile("@KernelSource\\((?:value = )?\"([\\w.]+)\"");
    private static final Pattern METHOD = Pattern.compile("^    ([\\w<>\\[\\], ]+?) (\\w+)\\(([^()]*)\\);", Pattern.MULTILINE);
    private static final Pattern DEF = Pattern.compile("^  def (\\w+)\\(self: __torch__\\.K, ([^)]*)\\) -> (.*):$", Pattern.MULTILINE);
    private static final Map<String, String> TYPES = Map.ofEntries(Map.entry("NDArray", "Tensor"), Map.entry("List<NDArray>", "List[Tensor]"), Map.entry("TensorList", "List[Tensor]"),
            Map.entry("TorchList<TensorList>", "List[List[Tensor]]"), Map.entry("LlamaWeights", "__torch__.Llama"), Map.entry("TorchList<LlamaWeights>", "List[__torch__.Llama]"),
            Map.entry("Map<String, NDArray>", "Dict[str, Tensor]"), Map.entry("ElementType", "int"), Map.entry("long", "int"), Map.entry("long[]", "List[int]"), Map.entry("double", "float"),
            Map.entry("boolean", "bool"), Map.entry("String", "str"), Map.entry("void", "None"));

    private static List<Path> files(String ending) throws IOException {
        List<Path> found = new ArrayList<>();
        try (Stream<Path> modules = Files.list(ROOT)) {
            for (Path module : modules.filter(path -> path.getFileName().toString().startsWith("bts-") && Files.isDirectory(path.resolve("src/main"))).sorted().toList()) {
                try (Stream<Path> files = Files.walk(module.resolve("src/main"))) {
                    files.filter(file -> file.toString().endsWith(ending)).forEach(found::add);
                }
            }
        }
        return found;
    }

    private static String snake(String name) {
        return name.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }

    /** The parameters of a Java method that the script has too, as the script declares them. */
    private static String parameters(String java, boolean ownsTensors, String where, List<String> problems) {
        List<String> all = Arrays.stream(java.replaceAll("\\s+", " ").strip().split(", (?![^<]*>)")).toList();
        List<String> own = ownsTensors ? List.of("NDManager owner", "Autograd mode") : List.of("Autograd mode");
        if (all.size() < own.size() || !all.subList(0, own.size()).equals(own)) {
            problems.add(where + " does not begin with " + own);
            return "";
        }
        return all.subList(own.size(), all.size()).stream().map(parameter -> {
            int space = parameter.lastIndexOf(' ');
            return snake(parameter.substring(space + 1)) + ": " + TYPES.getOrDefault(parameter.substring(0, space), "no type for " + parameter);
        }).collect(Collectors.joining(", "));
    }

    @Test
    void everyCallFitsItsDefinition() throws IOException {
        List<String> problems = new ArrayList<>();
        int methods = 0;
        for (Path file : files("Kernels.java")) {
            String java = Files.readString(file);
            var source = SOURCE.matcher(java);
            if (!source.find()) {
                continue;
            }
            Path script = Path.of(file.toString().replace("src/main/java", "src/main/resources")).resolveSibling(source.group(1));
            Map<String, MatchResult> definitions = DEF.matcher(Files.readString(script)).results().collect(Collectors.toMap(def -> def.group(1), def -> def));
            for (MatchResult method : METHOD.matcher(java).results().toList()) {
                methods++;
                String where = file.getFileName() + ": " + method.group(2);
                MatchResult def = definitions.get(snake(method.group(2)));
                if (def == null) {
                    problems.add(where + " is not in " + script.getFileName());
                    continue;
                }
                String result = TYPES.get(method.group(1));
                String declared = parameters(method.group(3), method.group(1).contains("NDArray"), where, problems) + " -> " + result;
                String defined = def.group(2).replaceAll("Optional\\[Tensor\\]", "Tensor") + " -> " + def.group(3);
                if (!declared.equals(defined)) {
                    problems.add(where + " declares " + declared + ", defined is " + defined);
                }
            }
        }
        assertEquals(List.of(), problems);
        assertTrue(methods > 50, methods + " methods");
    }

    @Test
    void everyDefinitionIsCalled() throws IOException {
        Map<Path, String> scripts = new LinkedHashMap<>();
        for (Path file : files(".py")) {
            scripts.put(file, Files.readString(file));
        }
        String calls = String.join("\n", scripts.values());
        StringBuilder java = new StringBuilder();
        StringBuilder declared = new StringBuilder();
        for (Path file : files(".java")) {
            (file.toString().endsWith("Kernels.java") ? declared : java).append(Files.readString(file)).append('\n');
        }
        List<String> problems = new ArrayList<>();
        int definitions = 0;
        for (Map.Entry<Path, String> script : scripts.entrySet()) {
            for (MatchResult def : DEF.matcher(script.getValue()).results().toList()) {
                definitions++;
                String name = def.group(1);
                String camel = Pattern.compile("_(\\w)").matcher(name).replaceAll(letter -> letter.group(1).toUpperCase(Locale.ROOT));
                boolean fromJava = declared.toString().contains(" " + camel + "(") && Pattern.compile("(\\.|::)" + camel + "\\b").matcher(java).find();
                if (!fromJava && !calls.contains("(self)." + name + "(")) {
                    problems.add(script.getKey().getFileName() + ": nothing calls " + name);
                }
            }
        }
        assertEquals(List.of(), problems);
        assertTrue(definitions > 100, definitions + " definitions");
    }
}
