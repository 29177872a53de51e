package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.microsoft.playwright.Browser;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Route;
import com.microsoft.playwright.options.ColorScheme;
import com.microsoft.playwright.options.ForcedColors;
import io.github.bts4j.core.browser.Chromium;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** States of the page that depend on what comes from the server: Markdown, hostile text, errors; and how the page adapts to its reader. */
class PageStatesTest extends InBrowser {
    private static final String CHAT = "**/v1/chat/completions";

    private static String stream(String text, String end, boolean alone) {
        StringBuilder events = new StringBuilder();
        for (int i = 0; i < text.length(); i += 3) {
            String piece = text.substring(i, Math.min(text.length(), i + 3));
            Map<String, Object> entry = Map.of("token", piece, "logprob", -0.5, "top_logprobs", List.of(Map.of("token", piece, "logprob", -0.5), Map.of("token", "<b>", "logprob", -1.5)));
            ObjectNode choice = TestServer.JSON.createObjectNode().put("index", 0).putNull("finish_reason");
            choice.putObject("delta").put("content", piece);
            choice.set("logprobs", TestServer.JSON.valueToTree(Map.of("content", List.of(entry))));
            double code = alone ? 0 : 0.5 + 0.45 * Math.sin(i / 25.0) * Math.cos(i / 40.0);
            choice.putObject("gates").set("weights", TestServer.JSON.valueToTree(List.of(List.of(List.of(1 - code / 2, code / 2), List.of(1 - code, code)))));
            ObjectNode part = TestServer.JSON.createObjectNode();
            part.putArray("choices").add(choice);
            if (i == 0) {
                part.set("gates", TestServer.JSON.valueToTree(Map.of("models", List.of("hub", "code"), "after_layers", List.of(2, 4))));
            }
            events.append("data: ").append(part).append("\n\n");
        }
        return events + end;
    }

    /** Answers every chat with this text. */
    private static void answers(Page page, String text) {
        page.route(CHAT, route -> route.fulfill(new Route.FulfillOptions().setContentType("text/event-stream").setBody(stream(text, "data: [DONE]\n\n", route.request().postData().contains("experts_off")))));
    }

    private static Page said(String text, Browser.NewContextOptions options) {
        Page page = browser.open(options, prepared -> answers(prepared, text));
        PageBrowser.say(page, "Show me");
        return page;
    }

    /** What the CommonMark specification, or GitHub's for tables and deletions, makes of it, but for headings, which all are of the answer's level, and paragraphs in tight lists. */
    private static final String MARKDOWN = """
            *foo bar* ¦ <p><em>foo bar</em></p>
            a * foo bar* ¦ <p>a * foo bar*</p>
            **foo bar** and __foo__ ¦ <p><strong>foo bar</strong> and <strong>foo</strong></p>
            foo_bar_baz ¦ <p>foo_bar_baz</p>
            *foo `*` bar* ¦ <p><em>foo <code>*</code> bar</em></p>
            ***both*** ~~gone~~ ¦ <p><strong><em>both</em></strong> <del>gone</del></p>
            ``foo ` bar`` ¦ <p><code>foo ` bar</code></p>
            `<b>` <b>x</b> ¦ <p><code>&lt;b&gt;</code> &lt;b&gt;x&lt;/b&gt;</p>
            \\*not emphasized* ¦ <p>*not emphasized*</p>
            # foo ## ¦ <h4>foo</h4>
            - a⏎- b⏎  - c ¦ <ul><li><p>a</p></li><li><p>b</p><ul><li><p>c</p></li></ul></li></ul>
            2. a⏎3. b ¦ <ol start="2"><li><p>a</p></li><li><p>b</p></li></ol>
            > a⏎> b ¦ <blockquote><p>a⏎b</p></blockquote>
            a⏎⏎b ¦ <p>a</p><p>b</p>
            * * * ¦ <hr>
            ~~~js x⏎<i>⏎~~~ ¦ <pre><code>&lt;i&gt;⏎</code></pre>
            ```⏎open ¦ <pre><code>open</code></pre>
            [a](https://b.c/d) ¦ <p><a href="https://b.c/d">a</a></p>
            see https://b.c/d. ¦ <p>see <a href="https://b.c/d">https://b.c/d</a>.</p>
            [a](javascript:alert) ¦ <p><span>a</span></p>
            ![a](https://b.c/d) ¦ <p><a href="https://b.c/d">a</a></p>
            |a|b|⏎|-|-:|⏎|c|`d`| ¦ <div><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>c</td><td><code>d</code></td></tr></tbody></table></div>
            """;

    @Test
    void markdown() {
        Page page = browser.open(Chromium.wide());
        List<Executable> cases = MARKDOWN.lines().map(line -> line.split(" ¦ ", -1)).<Executable>map(pair -> () -> assertEquals(pair[1].replace('⏎', '\n'), page.evaluate("async text => {"
                + " const {blocks, node} = await import('/markdown.js'); const all = document.createElement('div');"
                + " blocks(text).forEach(block => all.append(node(block, (from, to) => [text.slice(from, to)], pre => pre))); all.normalize();"
                + " all.querySelectorAll('*').forEach(one => [...one.attributes].forEach(({name}) => { if (!['href', 'start'].includes(name)) one.removeAttribute(name); }));"
                + " return all.innerHTML; }", pair[0].replace('⏎', '\n')))).toList();
        assertEquals(22, cases.size());
        assertAll(cases);
        page.context().close();
    }

    /** Nothing that a model writes becomes markup, runs or loads, in any view, and all of it can be read. */
    @Test
    void hostileAnswersStayText() {
        String hostile = String.join("\n\n", "<script>window.hacked = 1</script><img src=x onerror=\"window.hacked = 2\"><iframe src=\"javascript:window.hacked = 3\"></iframe>",
                "[a](javascript:window.hacked=4) [b](JAVASCRIPT:window.hacked=5) [c](data:text/html,<script>window.hacked=6</script>) [d](vbscript:x) [e]( javascript:x)",
                "![x](http://evil.example/pixel.png) ![y](javascript:window.hacked=7)", "```html\"><script>window.hacked = 8</script>\n</code></pre><script>window.hacked = 9</script>\n```",
                "<svg onload=window.hacked=10>", "| <script>window.hacked=11</script> | b |\n|---|---|\n| <img src=x onerror=window.hacked=12> | [z](file:///etc/passwd) |",
                "<style>body { display: none }</style><form action=http://evil.example><base href=http://evil.example>", "[u](https://user:pass@evil.example/\u202egnp.exe)", "&lt;script&gt; \\<b\\>");
        Page page = said(hostile, Chromium.wide());
        page.locator(LAST + " .token").first().click();
        for (int view = 0; view < 2; view++) {
            assertEquals(List.of(), page.evaluate("[...document.querySelectorAll('.answer :is(script, img, iframe, svg, style, form, base, object, embed, input), [onerror], [onload]')].map(one => one.outerHTML)"));
            assertEquals(List.of(), page.evaluate("[...document.querySelectorAll('.answer a')].map(link => link.href).filter(href => !/^(https?|mailto):/.test(href))"));
            page.click("text=Plain text");
        }
        page.click("text=Plain text");
        assertEquals(hostile, PageBrowser.answer(page));
        assertEquals(null, page.evaluate("window.hacked"));
        assertEquals("noopener noreferrer nofollow", page.evaluate("(() => { document.querySelector('[aria-pressed]').click(); return document.querySelector('.answer a').rel; })()"));
        page.context().close();
    }

    /** Texts that would take other parsers minutes. */
    @Test
    void nothingTakesLong() {
        Page page = browser.open(Chromium.wide());
        List<String> parts = List.of("*", "**a ", "_a* ", "`", "`a``b", "[", "![", "](", "[a](", "[a](b", "> ", "- ", "  - a\n", ">- ", "|", "|a|b|\n", "|-|-|\n|", "#", "~~a ", "\\", "<", "http://a", "1. ", "```\n", "\n", "a\n", "***a**", " ".repeat(9) + "x");
        for (String part : parts) {
            Object milliseconds = page.evaluate("async part => { const {blocks, node} = await import('/markdown.js'); const text = part.repeat(100000 / part.length); const begin = performance.now();"
                    + " blocks(text).forEach(block => node(block, (from, to) => [text.slice(from, to)], pre => pre)); return performance.now() - begin; }", part);
            assertTrue(((Number) milliseconds).doubleValue() < 4000, part + ": " + milliseconds + " ms for 100,000 characters");
        }
        page.context().close();
    }

    /** An error says what to do; trying again gets the answer. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            429 | The server is busy | Other requests are being answered. Try it again in a moment.
            400 | 600 tokens do not fit the context of 512 | Ask for fewer tokens in the settings, shorten the message, or begin a new chat.
            413 | The request body is too large | Shorten the message, or begin a new chat.
            500 | Internal server error: see the server's log | Try it again. If it happens once more, see the log of the server.
            504 | The response took longer than this server allows | Ask for fewer tokens in the settings, or start the server with a longer --timeout.
            0 | The server does not answer. | See whether it still runs (bts serve) and your network is up, then try it again.
            200 | The server does not answer. | See whether it still runs (bts serve) and your network is up, then try it again.
            201 | Something broke in the midst | Try it again. If it happens once more, see the log of the server.
            """)
    void errorsSayWhatToDo(int status, String message, String advice) {
        Page page = browser.open(Chromium.wide());
        String error = TestServer.JSON.createObjectNode().set("error", TestServer.JSON.createObjectNode().put("message", message).put("type", "server_error")).toString();
        page.route(CHAT, route -> {
            switch (status) {
                case 0 -> route.abort();
                case 200 -> route.fulfill(new Route.FulfillOptions().setContentType("text/event-stream").setBody(stream("Cut off he", "", false)));
                case 201 -> route.fulfill(new Route.FulfillOptions().setContentType("text/event-stream").setBody(stream("Cut off he", "data: " + error + "\n\n", false)));
                default -> route.fulfill(new Route.FulfillOptions().setStatus(status).setContentType("application/json").setBody(error));
            }
        }, new Page.RouteOptions().setTimes(1));
        PageBrowser.begin(page, "Hello");
        assertEquals(message + " " + advice, page.textContent(".problem p"));
        PageBrowser.done(page);
        assertEquals(status == 200 || status == 201 ? "Cut off he" : "", PageBrowser.answer(page), "what had come stays");
        if (status == 429) {
            browser.chromium.check(page, "error");
        }
        PageBrowser.set(page, "max_tokens", 20);
        page.click(".problem >> text=Try again");
        page.waitForSelector(".problem", new Page.WaitForSelectorOptions().setState(com.microsoft.playwright.options.WaitForSelectorState.DETACHED));
        PageBrowser.done(page);
        assertFalse(PageBrowser.answer(page).isEmpty());
        page.context().close();
    }

    @Test
    void aServerThatIsNotThereYet() {
        Page page = browser.open(Chromium.wide(), prepared -> prepared.route("**/v1/models", Route::abort, new Page.RouteOptions().setTimes(1)));
        assertTrue(page.textContent("#alert").startsWith("The server does not answer. See whether it still runs"), page.textContent("#alert"));
        browser.chromium.check(page, "no-server");
        page.click("#alert >> text=Try again");
        page.waitForSelector("#empty:not([hidden])");
        browser.chromium.check(page, "empty");
        page.context().close();
    }

    @Test
    void aServerThatAsksForAKey() throws IOException {
        try (ModelServer own = ModelServer.start(new ServedModel("tiny", server.text), TestServer.CONFIG.withApiKey("secret")); PageBrowser other = new PageBrowser(own.uri())) {
            Page page = other.open(Chromium.wide());
            assertTrue(page.isVisible("#key") && page.isDisabled("#send"));
            other.chromium.check(page, "key");
            page.fill("#key", "wrong");
            page.keyboard().press("Enter");
            page.waitForFunction("() => document.getElementById('key-hint').textContent.includes('wrong')");
            page.fill("#key", "secret");
            page.keyboard().press("Enter");
            page.waitForSelector("#empty:not([hidden])");
            assertEquals(List.of("continue"), page.evaluate("[...document.querySelectorAll('[name=mode]:checked')].map(one => one.value)"), "without a chat template");
            assertTrue(page.isHidden("#key-row") && page.isHidden("#modes"));
            PageBrowser.set(page, "max_tokens", 20);
            PageBrowser.say(page, "It was");
            assertTrue(PageBrowser.answer(page).startsWith("It was"));
            assertEquals(List.of(), other.chromium.problems());
        }
    }

    @Test
    void aPhone() {
        for (int width : new int[] {390, 320}) {
            Page page = said("Here is **code**:\n\n```java\nString veryLongNames = theyDoNotFit(onAPhone, butMayBeScrolled, sideways);\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |", Chromium.phone(width));
            assertTrue(Chromium.fits(page), "no sideways scrolling");
            page.locator(LAST + " .token").nth(4).tap();
            assertTrue(page.isVisible("#gates"), "the gates open");
            assertTrue(page.locator(LAST + " .token").nth(4).evaluate("one => { const box = one.getBoundingClientRect(); return box.bottom <= document.getElementById('gates').getBoundingClientRect().top; }").equals(true),
                    "below the text");
            browser.chromium.check(page, "phone-" + width + "-gates");
            page.tap("#close-gates");
            assertTrue(page.isHidden("#gates"));
            page.tap("#settings summary");
            assertTrue(Chromium.fits(page) && page.isVisible("#sets"));
            browser.chromium.check(page, "phone-" + width);
            page.context().close();
        }
    }

    @Test
    void coloursCanBeToldApartAndRead() {
        for (ColorScheme scheme : List.of(ColorScheme.LIGHT, ColorScheme.DARK)) {
            Page page = browser.open(Chromium.wide().setColorScheme(scheme));
            Object problems = page.evaluate("""
                    () => {
                      const probe = document.body.appendChild(document.createElement('i'));
                      const rgb = colour => { probe.style.color = colour; const [r, g, b, a = 1] = getComputedStyle(probe).color.match(/[\\d.]+/g).map(Number); return getComputedStyle(probe).color.startsWith('color') ? [r, g, b] : [r / 255, g / 255, b / 255]; };
                      const light = c => c.map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4).reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
                      const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
                      const paper = rgb('var(--paper)'), card = rgb('var(--card)'), ink = rgb('var(--ink)'), bad = [];
                      for (let i = 0; i < 8; i++) {
                        const own = rgb('var(--m' + i + ')');
                        if (contrast(own, paper) < 3) bad.push('line ' + i + ' ' + contrast(own, paper));
                        for (const back of [paper, card]) {
                          const fill = own.map((x, k) => 0.40 * x + 0.60 * back[k]);
                          if (contrast(fill, ink) < 4.5) bad.push('text on ' + i + ' ' + contrast(fill, ink));
                        }
                      }
                      return bad;
                    }""");
            assertEquals(List.of(), problems, scheme.toString());
            page.context().close();
        }
    }

    /** Colours that the system forces: the models' own remain, text and its ground are the system's. */
    @Test
    void forcedColours() {
        Page page = said("Some words that have a colour", Chromium.wide().setForcedColors(ForcedColors.ACTIVE));
        List<?> swatches = (List<?>) page.evaluate("[...document.querySelectorAll('#legend .swatch')].map(one => getComputedStyle(one).backgroundColor)");
        assertEquals(2, new HashSet<>(swatches).size());
        List<?> underlines = (List<?>) page.evaluate("[...document.querySelectorAll('.answer .token')].map(one => getComputedStyle(one).borderBottomColor)");
        assertTrue(swatches.containsAll(underlines), underlines + " in " + swatches);
        page.context().close();
    }

    @Test
    void aChatOfSeveralTurnsWithCode() {
        Page page = said("Here is a method that **reverses** a string:\n\n```java\nstatic String reversed(String text) {\n    return new StringBuilder(text).reverse().toString();\n}\n```\n\n"
                + "1. It makes a *builder*.\n2. It reverses it:\n   - pairs stay together\n\n| input | output |\n|---|---:|\n| abc | cba |\n\n> See [the API](https://docs.example/api).", Chromium.wide());
        PageBrowser.say(page, "Thanks!\nAnd in one line?");
        page.click(".add");
        PageBrowser.say(page, "Both of you?");
        assertEquals(List.of(1, 1, 2), page.evaluate("[...document.querySelectorAll('.turn')].map(turn => turn.querySelectorAll('.answer').length)"));
        assertEquals(4, page.locator(".answer pre").count());
        List<String> labels = new ArrayList<>();
        page.locator("button:visible, input:visible, select:visible, textarea:visible").all().forEach(one -> labels.add(one.evaluate("e => e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent").toString()));
        assertEquals("", labels.stream().filter(String::isBlank).collect(Collectors.joining()), "everything has a name");
        browser.chromium.check(page, "chat");
        page.context().close();
    }
}
