package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.Request;
import com.microsoft.playwright.options.ColorScheme;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** A headless Chromium that shows the server's page; tests are skipped where none is installed. The environment variable CHROMIUM names one elsewhere. */
final class PageBrowser implements AutoCloseable {
    private static final List<String> PLACES = List.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/snap/bin/chromium",
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe");
    /** Milliseconds; far more than anything takes, also where much else runs. */
    private static final double PATIENCE = 60_000;

    private static final String LAST = ".turn:last-child .answer";

    /** What the browser complained about, and requests to other hosts. */
    final List<String> problems = new ArrayList<>();
    /** Requests for answers. */
    final List<String> asked = new ArrayList<>();
    private final Playwright playwright;
    private final Browser browser;
    private final URI server;
    private final String axe;
    private final Optional<Path> screenshots = Optional.ofNullable(System.getProperty("bts4j.screenshots")).map(Path::of);

    PageBrowser(URI server) throws IOException {
        Optional<Path> program = Stream.concat(Stream.ofNullable(System.getenv("CHROMIUM")), PLACES.stream()).map(Path::of).filter(Files::isExecutable).findFirst();
        assumeTrue(program.isPresent(), "no Chromium is installed");
        this.server = server;
        try (InputStream in = PageBrowser.class.getResourceAsStream("/axe.min.js")) {
            axe = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        playwright = Playwright.create(new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
        browser = playwright.chromium().launch(new BrowserType.LaunchOptions().setExecutablePath(program.get()).setTimeout(2 * PATIENCE));
    }

    static Browser.NewContextOptions wide() {
        return new Browser.NewContextOptions().setViewportSize(1360, 860);
    }

    static Browser.NewContextOptions phone(int width) {
        return new Browser.NewContextOptions().setViewportSize(width, 800).setIsMobile(true).setHasTouch(true);
    }

    Page open(Browser.NewContextOptions options) {
        return open(options, page -> { });
    }

    /** Opens the page after something was prepared, such as other answers of the server. */
    Page open(Browser.NewContextOptions options, Consumer<Page> prepared) {
        Page page = browser.newContext(options).newPage();
        page.setDefaultTimeout(PATIENCE);
        page.onPageError(problems::add);
        page.onConsoleMessage(message -> {
            if (message.type().equals("error") && !message.text().startsWith("Failed to load resource")) {
                problems.add(message.text());
            }
        });
        page.onRequest(this::requested);
        prepared.accept(page);
        page.navigate(server.toString());
        page.waitForFunction("() => !document.getElementById('empty').hidden || !document.getElementById('key-row').hidden || !document.getElementById('alert').hidden");
        return page;
    }

    private void requested(Request request) {
        if (!request.url().startsWith(server.toString()) && !request.url().startsWith("blob:")) {
            problems.add("a request to " + request.url());
        }
        if (request.url().endsWith("completions")) {
            asked.add(request.postData());
        }
    }

    /** Sends what is typed and waits for the end of all answers. */
    static void say(Page page, String text) {
        begin(page, text);
        done(page);
    }

    static void begin(Page page, String text) {
        page.fill("#prompt", text);
        page.click("#send");
    }

    /** Waits for the end of all answers and of their gates. */
    static void done(Page page) {
        page.waitForFunction("() => document.getElementById('stop').hidden && document.querySelectorAll('.foot .actions').length === document.querySelectorAll('.card').length"
                + " && [...document.querySelectorAll('.turn:last-child .token')].every((token, i) => i > 0 || /\\bm\\d/.test(token.className) || !document.querySelector('.chip'))");
    }

    static String answer(Page page) {
        return page.textContent(LAST);
    }

    /** The state in a picture, if a folder for them is given; no finding of axe in it, in light and in dark. */
    void check(Page page, String state) {
        for (ColorScheme scheme : List.of(ColorScheme.LIGHT, ColorScheme.DARK)) {
            page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(scheme));
            screenshots.ifPresent(folder -> page.screenshot(new Page.ScreenshotOptions().setPath(folder.resolve(state + "-" + scheme.name().toLowerCase(java.util.Locale.ROOT) + ".png"))));
            page.evaluate(axe + ";0");
            Object findings = page.evaluate("async () => (await axe.run()).violations.map(one => one.id + ': ' + one.nodes.slice(0, 3).map(node => node.html + ' ' + node.failureSummary).join(' | '))");
            assertEquals(List.of(), findings, state + " in " + scheme);
        }
        page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(ColorScheme.LIGHT));
    }

    /** Sets one of the settings, which may be closed. */
    static void set(Page page, String setting, Object value) {
        page.evaluate("([id, value]) => { const field = document.getElementById(id); field.value = value; field.dispatchEvent(new Event('input', {bubbles: true})); }",
                List.of(setting, value.toString()));
    }

    static boolean fits(Page page) {
        return (Boolean) page.evaluate("document.documentElement.scrollWidth <= innerWidth");
    }

    @Override
    public void close() {
        browser.close();
        playwright.close();
    }
}
