package io.github.bts4j.examples.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.playwright.Page;
import io.github.bts4j.core.browser.Chromium;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A report with everything that one can hold, in a browser. */
class ReportBrowserTest {
    private static Report report() {
        List<GateToken> tokens = List.of(new GateToken("The", new float[] {0.75f, 0.25f}, "code"), new GateToken(" sum", new float[] {0.1f, 0.9f}, "code"),
                new GateToken(" Ñandú\n", new float[] {0.5f, 0.5f}, "lang2"));
        List<String> models = List.of("seed", "code");
        return ReportTest.report(List.of(new GateText("first", models, tokens), new GateText("second", models, tokens)), List.of(new Sample("BTS", "The sum of", " two numbers is a number")));
    }

    @Test
    void nothingIsWrongWithIt(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("report.html"), report().html());
        List<String> requested = new ArrayList<>();
        try (Chromium chromium = new Chromium()) {
            for (int width : new int[] {1360, 360}) {
                Page page = chromium.page(width > 1000 ? Chromium.wide() : Chromium.phone(width));
                page.onRequest(request -> requested.add(request.url()));
                page.navigate(file.toUri().toString());
                assertEquals("A & B", page.title());
                chromium.check(page, "report-" + width);
                assertTrue(Chromium.fits(page), "it scrolls sideways in " + width + " pixels");
            }
            String url = file.toUri().toString();
            assertEquals(List.of(url, url), requested, "it needs nothing but itself");
            assertEquals(List.of(), chromium.problems());
        }
    }
}
