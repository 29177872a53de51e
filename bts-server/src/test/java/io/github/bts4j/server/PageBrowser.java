package io.github.bts4j.server;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Request;
import io.github.bts4j.core.browser.Chromium;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The server's page in a browser. */
final class PageBrowser implements AutoCloseable {
    private static final String LAST = ".turn:last-child .answer";

    /** Requests for answers. */
    final List<String> asked = new ArrayList<>();
    final Chromium chromium = new Chromium();
    private final URI server;

    PageBrowser(URI server) throws IOException {
        this.server = server;
    }

    Page open(Browser.NewContextOptions options) {
        return open(options, page -> { });
    }

    /** Opens the page after something was prepared, such as other answers of the server. */
    Page open(Browser.NewContextOptions options, Consumer<Page> prepared) {
        Page page = chromium.page(options);
        page.onRequest(this::requested);
        prepared.accept(page);
        page.navigate(server.toString());
        page.waitForFunction("() => !document.getElementById('empty').hidden || !document.getElementById('key-row').hidden || !document.getElementById('alert').hidden");
        return page;
    }

    private void requested(Request request) {
        if (!request.url().startsWith(server.toString()) && !request.url().startsWith("blob:")) {
            chromium.problems().add("a request to " + request.url());
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

    /** Sets one of the settings, which may be closed. */
    static void set(Page page, String setting, Object value) {
        page.evaluate("([id, value]) => { const field = document.getElementById(id); field.value = value; field.dispatchEvent(new Event('input', {bubbles: true})); }",
                List.of(setting, value.toString()));
    }

    @Override
    public void close() {
        chromium.close();
    }
}
