package io.github.bts4j.core.browser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.options.ColorScheme;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** A headless Chromium for tests of pages, which are skipped where none is installed. The environment variable CHROMIUM names one elsewhere. */
public final class Chromium implements AutoCloseable {
    private static final List<String> PLACES = List.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/snap/bin/chromium",
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe");
    /** Milliseconds; far more than anything takes, also where much else runs. */
    private static final double PATIENCE = 60_000;

    private static final String FINDINGS =
            "async () => (await axe.run()).violations.map(one => one.id + ': ' + one.nodes.slice(0, 3).map(node => node.html + ' ' + node.failureSummary).join(' | '))";

    private final List<String> problems = new ArrayList<>();
    private final Playwright playwright;
    private final Browser browser;
    private final String axe;
    private final Optional<Path> screenshots = Optional.ofNullable(System.getProperty("bts4j.screenshots")).map(Path::of);

    /**
     * Starts it.
     *
     * @throws IOException if the text of axe cannot be read
     */
    public Chromium() throws IOException {
        Optional<Path> program = Stream.concat(Stream.ofNullable(System.getenv("CHROMIUM")), PLACES.stream()).map(Path::of).filter(Files::isExecutable).findFirst();
        assumeTrue(program.isPresent(), "no Chromium is installed");
        try (InputStream in = Chromium.class.getResourceAsStream("/axe.min.js")) {
            axe = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        playwright = Playwright.create(new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
        browser = playwright.chromium().launch(new BrowserType.LaunchOptions().setExecutablePath(program.get()).setTimeout(2 * PATIENCE));
    }

    /**
     * A window of a desktop.
     *
     * @return its options
     */
    public static Browser.NewContextOptions wide() {
        return new Browser.NewContextOptions().setViewportSize(1360, 860);
    }

    /**
     * A phone's screen.
     *
     * @param width in pixels
     * @return its options
     */
    public static Browser.NewContextOptions phone(int width) {
        return new Browser.NewContextOptions().setViewportSize(width, 800).setIsMobile(true).setHasTouch(true);
    }

    /**
     * An empty page whose errors are kept.
     *
     * @param options {@link #wide} or {@link #phone}
     * @return the page
     */
    public Page page(Browser.NewContextOptions options) {
        Page page = browser.newContext(options).newPage();
        page.setDefaultTimeout(PATIENCE);
        page.onPageError(problems::add);
        page.onConsoleMessage(message -> {
            if (message.type().equals("error") && !message.text().startsWith("Failed to load resource")) {
                problems.add(message.text());
            }
        });
        return page;
    }

    /**
     * What pages complained about.
     *
     * @return may be added to
     */
    public List<String> problems() {
        return problems;
    }

    /**
     * The state in a picture, if {@code -Dbts4j.screenshots} names a folder for them; no finding of axe in it, in light and in dark.
     *
     * @param page an open page
     * @param state the picture's name
     */
    public void check(Page page, String state) {
        for (ColorScheme scheme : List.of(ColorScheme.LIGHT, ColorScheme.DARK)) {
            page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(scheme));
            String picture = state + "-" + scheme.name().toLowerCase(Locale.ROOT) + ".png";
            screenshots.ifPresent(folder -> page.screenshot(new Page.ScreenshotOptions().setPath(folder.resolve(picture))));
            page.evaluate(axe + ";0");
            assertEquals(List.of(), page.evaluate(FINDINGS), state + " in " + scheme);
        }
        page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(ColorScheme.LIGHT));
    }

    /**
     * Whether the page is no wider than its window.
     *
     * @param page an open page
     * @return false if it scrolls sideways
     */
    public static boolean fits(Page page) {
        return (Boolean) page.evaluate("document.documentElement.scrollWidth <= innerWidth");
    }

    @Override
    public void close() {
        browser.close();
        playwright.close();
    }
}
