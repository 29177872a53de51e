package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.microsoft.playwright.Download;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import io.github.bts4j.core.browser.Chromium;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The page in a browser, with a model that really answers: what it sends, shows and keeps. */
class PageTest extends InBrowser {
    private static final String PROMPT = "The house of\n  a man";

    private static Page open(int tokens) {
        Page page = browser.open(Chromium.wide());
        PageBrowser.set(page, "temperature", 0);
        PageBrowser.set(page, "max_tokens", tokens);
        return page;
    }

    private static JsonNode asked(int last) throws IOException {
        return TestServer.JSON.readTree(browser.asked.get(browser.asked.size() - last));
    }

    private static String completion(String off, int tokens) throws IOException, InterruptedException {
        return server.ask("/v1/completions", "{\"model\":\"tiny\",\"temperature\":0,\"max_tokens\":" + tokens + ",\"prompt\":" + TestServer.JSON.writeValueAsString(PROMPT)
                + ",\"experts_off\":[" + off + "]}").at("/choices/0/text").asText();
    }

    @Test
    void setsOfExpertsContinueATextSideBySide() throws IOException, InterruptedException {
        Page page = open(12);
        page.check("[value=continue]");
        page.click(".add");
        assertEquals("The hub alone", page.textContent(".set:nth-of-type(2) .as-words"));
        page.fill("#prompt", PROMPT);
        page.keyboard().press("Control+Enter");
        PageBrowser.done(page);
        List<String> texts = page.locator(LAST).allTextContents();
        assertEquals(List.of(PROMPT + completion("", 12), PROMPT + completion("\"code\"", 12)), texts, "each with its own experts");
        assertEquals(asked(1).get("seed"), asked(2).get("seed"), "one random seed for both");
        assertEquals(PROMPT, page.inputValue("#prompt"), "a text that may be continued otherwise");
        List<String> letters = page.locator(".card h3").allTextContents();
        assertEquals(List.of("A: All experts", "B: The hub alone"), letters);
        assertTrue((Boolean) page.evaluate("getComputedStyle(document.querySelector('" + LAST + "')).fontFamily.includes('mono')"), "columns of code stay columns");
        page.click("[aria-label='Remove set B']");
        assertEquals(1, page.locator(".set").count());
    }

    private static List<JsonNode> lastStitch(JsonNode weights) {
        List<JsonNode> rows = new ArrayList<>();
        weights.forEach(token -> rows.add(token.get(token.size() - 1)));
        return rows;
    }

    /** The lines of the plot are these weights, and every token has the colour of the largest and its shade. */
    private static void assertShown(Page page, List<JsonNode> weights) {
        for (Locator token : page.locator(LAST + " .token").all()) {
            JsonNode row = weights.get(Integer.parseInt(token.getAttribute("data-token")));
            double largest = Math.max(row.get(0).asDouble(), row.get(1).asDouble());
            assertTrue(token.getAttribute("class").contains(row.get(0).asDouble() == largest ? "m0" : "m1"));
            assertEquals(2 * largest - 1, Double.parseDouble(token.getAttribute("style").replaceAll("[^0-9.]", "")), 1e-3);
        }
        List<?> lines = (List<?>) page.evaluate("[...document.querySelectorAll('#plot polyline')].map(line => line.getAttribute('points').split(' ').map(point => 1 - Number(point.split(',')[1]) / 200))");
        for (int i = 0; i < lines.size(); i++) {
            List<?> line = (List<?>) lines.get(i);
            assertEquals(weights.size(), line.size());
            for (int t = 0; t < line.size(); t++) {
                assertEquals(weights.get(t).get(i).asDouble(), ((Number) line.get(t)).doubleValue(), 3e-4, "model " + i + ", token " + t);
            }
        }
    }

    /** Colour, shade, plot and numbers are those of the server's gates, and the text and the plot are linked. */
    @Test
    void coloursPlotAndNumbersAgree() throws IOException, InterruptedException {
        Page page = open(10);
        page.check("[value=continue]");
        PageBrowser.say(page, PROMPT);
        String prompt = TestServer.JSON.writeValueAsString(PROMPT);
        List<JsonNode> weights = lastStitch(server.ask("/v1/completions", "{\"model\":\"tiny\",\"temperature\":0,\"max_tokens\":10,\"gates\":true,\"prompt\":" + prompt + "}").at("/choices/0/gates/weights"));
        assertEquals(10, weights.size());
        assertShown(page, weights);
        page.click("#with-prompt");
        page.waitForSelector(".given .token");
        JsonNode given = server.ask("/bts/gates", "{\"model\":\"tiny\",\"prompt\":" + prompt + "}").get("stitches");
        List<JsonNode> before = new ArrayList<>();
        given.get(given.size() - 1).get("weights").forEach(before::add);
        weights.addAll(0, before);
        assertShown(page, weights);
        Locator tokens = page.locator(LAST + " .token");
        tokens.nth(3).hover();
        assertTrue(tokens.nth(3).getAttribute("class").contains("hovered"));
        assertNotEquals("none", page.evaluate("document.querySelector('#plot .hovered').style.display"), "in the plot as well");
        page.locator("#plot").hover(new Locator.HoverOptions().setPosition(new com.microsoft.playwright.options.Position(2, 30)));
        assertEquals("0", page.locator(".token.hovered").or(page.locator("#position")).first().evaluate("(e) => e.dataset.token ?? document.getElementById('position').value"));
        page.locator("#plot").click();
        assertEquals((double) Math.round((weights.size() - 1) / 2.0), Integer.parseInt(page.locator(".token[aria-current]").first().getAttribute("data-token")), 1);
        page.focus("#position");
        page.keyboard().press("End");
        assertEquals(weights.size() - 1, Integer.parseInt(page.locator(".token[aria-current]").last().getAttribute("data-token")));
        JsonNode last = weights.get(weights.size() - 1);
        assertEquals(String.format(Locale.ROOT, "hub%.2f", last.get(0).asDouble()) + String.format(Locale.ROOT, "code%.2f", last.get(1).asDouble()), page.textContent("#weights"));
        assertTrue(page.textContent("#meaning").startsWith("A token has the colour of the model with the largest gate weight after layer "));
        browser.chromium.check(page, "finished");
    }

    /** The probability of the selected token, and what else the model might have written. */
    @Test
    void probabilitiesAreTheServers() throws IOException, InterruptedException {
        Page page = open(4);
        PageBrowser.say(page, "Hello");
        JsonNode content = server.ask("/v1/chat/completions", "{\"model\":\"tiny\",\"temperature\":0,\"max_tokens\":4,\"logprobs\":true,\"top_logprobs\":5,"
                + "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}").at("/choices/0/logprobs/content");
        page.locator(LAST + " .token").first().click();
        assertEquals(String.format(Locale.ROOT, "%.3f", content.get(0).get("logprob").asDouble()), page.textContent("#chances b"));
        assertEquals(5, page.locator(".alternatives tr").count());
        assertEquals(IntStream.range(0, 5).mapToObj(i -> String.format(Locale.ROOT, "%.3f", content.get(0).get("top_logprobs").get(i).get("logprob").asDouble())).toList(),
                page.locator(".alternatives td:last-child").allTextContents());
    }

    @Test
    void aChatKeepsItsTurnsAndCanBeEdited() throws IOException {
        Page page = open(6);
        page.click("#settings summary");
        page.fill("#system", "Be brief.");
        page.fill("#top_p", "0.9");
        page.fill("#top_k", "40");
        page.fill("#min_p", "0.05");
        page.fill("#repetition_penalty", "1.1");
        page.fill("#seed", "7");
        PageBrowser.say(page, "Who are you?");
        JsonNode first = asked(1);
        assertEquals("[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":\"Who are you?\"}]", first.get("messages").toString());
        assertEquals("0.9 40 0.05 1.1 7 6 0", String.join(" ", List.of("top_p", "top_k", "min_p", "repetition_penalty", "seed", "max_tokens", "temperature").stream()
                .map(name -> first.get(name).asText()).toList()));
        PageBrowser.say(page, "And I?");
        assertEquals(List.of("system", "user", "assistant", "user"), asked(1).findValuesAsText("role"));
        assertEquals("", page.inputValue("#prompt"), "room for the next message");
        page.click(".turn:first-child [aria-label='Edit this message']");
        assertEquals("Who are you?", page.inputValue("#prompt"));
        assertTrue(page.isVisible("#editing"));
        browser.chromium.check(page, "editing");
        PageBrowser.say(page, "What are you?");
        assertEquals(1, page.locator(".turn").count(), "it replaces the message and what followed");
        assertEquals(List.of("Be brief.", "What are you?"), asked(1).findValuesAsText("content"));
        page.click("text=Regenerate");
        PageBrowser.done(page);
        assertEquals("2 of 2", page.textContent(".versions"));
        page.click("[aria-label='The version before']");
        assertEquals("1 of 2", page.textContent(".versions"));
        page.focus("#new");
        page.keyboard().press("Enter");
        assertEquals(0, page.locator(".turn").count());
        assertEquals("prompt", page.evaluate("document.activeElement.id"));
        assertTrue(page.isHidden("#gates") && page.isVisible("#empty"));
    }

    @Test
    void anAnswerIsStoppedAndKeepsWhatIsThere() throws IOException {
        Page page = open(1900);
        PageBrowser.begin(page, "Tell me everything");
        page.waitForFunction("() => document.querySelectorAll('.turn .token').length > 20");
        assertEquals("true", page.getAttribute("#conversation", "aria-busy"));
        assertTrue(page.textContent(".facts").matches("\\d+ tokens · [\\d.]+ tokens/s · first after [\\d.]+ s"), page.textContent(".facts"));
        browser.chromium.check(page, "streaming");
        page.keyboard().press("Escape");
        PageBrowser.done(page);
        assertTrue(page.textContent("#status").startsWith("Stopped, "), page.textContent("#status"));
        assertTrue(page.isVisible("text=You stopped this answer."));
        page.waitForSelector(LAST + " .token.m0, " + LAST + " .token.m1");
        browser.chromium.check(page, "stopped");
        page.click("[aria-label='Copy this answer']");
        PageBrowser.set(page, "max_tokens", 5);
        PageBrowser.say(page, "Go on");
        assertEquals(2, page.locator(".turn").count());
        assertEquals(3, asked(1).get("messages").size(), "what was stopped is part of the conversation");
    }

    @Test
    void aConversationIsSharedAsAFile() throws IOException {
        Page page = open(8);
        PageBrowser.say(page, "<img src=x onerror=alert(1)> & \"me\"");
        page.click("#share");
        Download json = page.waitForDownload(() -> page.click("#as-json"));
        JsonNode data = TestServer.JSON.readTree(json.path().toFile());
        assertEquals("<img src=x onerror=alert(1)> & \"me\"", data.at("/turns/0/prompt").asText());
        JsonNode answer = data.at("/turns/0/answers/0");
        assertEquals(8, answer.get("tokens").size());
        assertEquals(2, answer.at("/tokens/0/gates/0").size());
        assertTrue(answer.at("/tokens/0/logprob").asDouble() < 0 && answer.get("options").get("max_tokens").asInt() == 8);
        page.click("#share");
        browser.chromium.check(page, "share");
        Download html = page.waitForDownload(() -> page.click("#as-html"));
        String text = Files.readString(html.path());
        assertTrue(text.contains("&lt;img src=x onerror=alert(1)&gt; &amp; &quot;me&quot;") && !text.contains("<img") && !text.contains("<script"), text);
        assertTrue(text.contains("default-src 'none'") && text.contains("class=\"m") && text.contains("log-probability"), text);
        assertFalse(text.matches("(?s).*https?://.*"), "nothing from elsewhere");
    }
}
