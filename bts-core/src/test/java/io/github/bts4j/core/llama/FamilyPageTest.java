package io.github.bts4j.core.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import io.github.bts4j.core.llama.family.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** docs/families.md lists what the code knows, no more and no less. */
class FamilyPageTest {
    private static final Path PAGE = Path.of(System.getProperty("bts4j.testData")).resolveSibling("docs").resolve("families.md");
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");

    private static List<String> code(String text) {
        return CODE.matcher(text).results().map(found -> found.group(1)).toList();
    }

    @Test
    void theTableIsTheEnum() throws IOException {
        List<String> expected = new ArrayList<>();
        for (Family family : Family.values()) {
            expected.add(family.spec().modelType() + " " + family.spec().ggufArchitecture() + " " + new ArrayList<>(family.spec().keys()));
        }
        List<String> found = new ArrayList<>();
        for (String line : Files.readAllLines(PAGE)) {
            String[] cells = line.split("\\|", -1);
            if (cells.length == 7 && cells[2].contains("`") && !cells[2].contains("model_type")) {
                found.add(code(cells[2]).get(0) + " " + code(cells[3]).get(0) + " " + code(cells[5]));
            }
        }
        assertEquals(expected, found);
    }

    @Test
    void theTypesOfGgufFilesAreTheEnum() throws IOException {
        List<String> expected = new ArrayList<>();
        for (GgmlType type : GgmlType.values()) {
            double bits = 8.0 * type.blockBytes() / type.blockSize();
            expected.add(type + " " + (bits == Math.rint(bits) ? String.valueOf((int) bits) : String.valueOf(bits)) + " "
                    + (!type.isQuantized() ? "mapped" : type.isMultiplied() ? "multiplied as it is stored" : "dequantised"));
        }
        List<String> found = new ArrayList<>();
        for (String line : Files.readAllLines(PAGE)) {
            String[] cells = line.split("\\|", -1);
            if (cells.length == 5 && cells[1].contains("`")) {
                found.add(code(cells[1]).get(0) + " " + cells[2].strip() + " " + cells[3].strip());
            }
        }
        assertEquals(expected, found);
    }

    @Test
    void whatIsRefusedIsThePolicy() throws IOException {
        String line = Files.readAllLines(PAGE).stream().filter(each -> each.startsWith("* A key that would change")).findFirst().orElseThrow();
        Set<String> expected = new TreeSet<>(ConfigKeyPolicy.refused());
        expected.addAll(Set.of("sliding_window", "quantization_config"));
        assertEquals(expected, new TreeSet<>(code(line)));
    }

    @Test
    void ropeTypesAreThoseThatAreRead() throws IOException {
        MatchResult types = Pattern.compile("rope types ([^)]*)\\)").matcher(Files.readString(PAGE)).results().findFirst().orElseThrow();
        assertEquals(RopeScalingReader.KNOWN, code(types.group(1)).stream().collect(Collectors.joining(", ")));
    }
}
