package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** A server, and a browser that shows its page; after each test the browser must have nothing to complain of. One class of tests at a time. */
abstract class InBrowser {
    /** The answer of the last turn. */
    static final String LAST = ".turn:last-child .answer";

    static TestServer server;
    static PageBrowser browser;

    @BeforeAll
    static void start(@TempDir Path folder) throws IOException {
        server = TestServer.withRandomGates(folder, TestServer.CONFIG);
        browser = new PageBrowser(server.server.uri());
    }

    @AfterAll
    static void stop() {
        if (browser != null) {
            browser.close();
            browser = null;
        }
        server.close();
    }

    @AfterEach
    void nothingWentWrong() {
        assertEquals(List.of(), browser.chromium.problems());
    }
}
