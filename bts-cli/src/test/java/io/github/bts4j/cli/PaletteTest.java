package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** A model has the same colour on the server's page and in the reports, light and dark. */
class PaletteTest {
    private static final Path ROOT = Path.of(System.getProperty("bts4j.testData")).getParent();

    private static List<String> found(String pattern, String text, int group) {
        return Pattern.compile(pattern).matcher(text).results().map((MatchResult match) -> match.group(group)).toList();
    }

    private static List<String> colours(String report, String list) {
        return found("#[0-9a-f]{6}", found(list + " = List\\.of\\(([^)]*)\\)", report, 1).get(0), 0);
    }

    @Test
    void pageAndReportsAgree() throws IOException {
        String page = Files.readString(ROOT.resolve("bts-server/src/main/resources/io/github/bts4j/server/page/models.css"));
        String report = Files.readString(ROOT.resolve("bts-examples/src/main/java/io/github/bts4j/examples/report/Markup.java"));
        String pair = "--m\\d: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)";
        assertEquals(8, found(pair, page, 1).size());
        assertEquals(found(pair, page, 1), colours(report, "LIGHT"));
        assertEquals(found(pair, page, 2), colours(report, "DARK"));
    }
}
