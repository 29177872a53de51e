package io.github.bts4j.core.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Comparisons in templates against Python's Jinja (jinja_equality_golden.py): what it renders is rendered, what it refuses is refused. */
class PythonExpressionsTest {
    private static final List<ChatMessage> EMPTY = List.of(ChatMessage.user(""));

    private static List<JsonNode> golden() throws IOException {
        try (InputStream in = PythonExpressionsTest.class.getResourceAsStream("/jinja-equality-golden.json")) {
            List<JsonNode> cases = new ArrayList<>();
            new ObjectMapper().readTree(in).forEach(cases::add);
            return cases;
        }
    }

    private static String render(String template) {
        return ChatTemplate.jinja(template, "", "").render(EMPTY, false);
    }

    @Test
    void valuesCompareAsInPython() throws IOException {
        List<String> differences = new ArrayList<>();
        int rendered = 0;
        for (JsonNode golden : golden()) {
            if (golden.has("expected")) {
                rendered++;
                String template = golden.get("template").asText();
                String text;
                try {
                    text = render(template);
                } catch (IllegalArgumentException e) {
                    text = e.getMessage();
                }
                if (!text.equals(golden.get("expected").asText())) {
                    differences.add(template + " -> " + text);
                }
            }
        }
        assertEquals(List.of(), differences);
        assertEquals(2935, rendered);
    }

    /** A value of the wrong type and an undefined one are refused in Python's own words; for the grammar, Jinjava has its words. */
    @Test
    void whatPythonRefusesIsRefused() throws IOException {
        List<String> differences = new ArrayList<>();
        int refused = 0;
        int inPythonsWords = 0;
        for (JsonNode golden : golden()) {
            if (golden.has("error")) {
                refused++;
                String template = golden.get("template").asText();
                String error = golden.get("error").asText();
                boolean ofValues = error.startsWith("TypeError: argument of type") || error.startsWith("TypeError: 'in <string>'")
                        || error.startsWith("TypeError: unhashable") || error.equals("UndefinedError: 'missing' is undefined");
                inPythonsWords += ofValues ? 1 : 0;
                String wanted = ofValues ? error.substring(error.indexOf(": ")) : "The chat template failed in line 1: ";
                try {
                    differences.add(template + " -> " + render(template));
                } catch (IllegalArgumentException e) {
                    if (!e.getMessage().contains(wanted)) {
                        differences.add(template + " -> " + e.getMessage());
                    }
                }
            }
        }
        assertEquals(List.of(), differences);
        assertEquals(639, refused);
        assertEquals(612, inPythonsWords);
    }

    @Test
    void aTestsArgumentsAreCounted() {
        for (Map.Entry<String, String> faulty : Map.of("1 is eq", "the test 'eq' takes one argument, not 0", "1 is in (1, 2)", "the test 'in' takes one argument, not 2",
                "1 is == 1", "the name of a test").entrySet()) {
            String message = assertThrows(IllegalArgumentException.class, () -> render("{{ " + faulty.getKey() + " }}")).getMessage();
            assertTrue(message.contains(faulty.getValue()), message);
        }
    }

    /** Not a stack overflow: a value nested without end, or too deep. */
    @Test
    void deepValuesAreRefused() {
        String deep = "{% set ns = namespace(a=(1, 2), b=(1, 2)) %}{% for i in range(900) %}{% for j in range(10) %}{% set ns.a = (ns.a, 1) %}{% set ns.b = (ns.b, 1) %}"
                + "{% endfor %}{% endfor %}";
        for (String faulty : List.of(deep + "{{ ns.a == ns.b }}", deep + "{{ ns.a in [ns.b] }}", deep + "{{ ns.a in {} }}",
                "{% set a = [] %}{% set b = [] %}{% set x = a.append([b]) %}{% set x = b.append([a]) %}{{ a == b }}")) {
            String message = assertThrows(IllegalArgumentException.class, () -> render(faulty), faulty).getMessage();
            assertTrue(message.contains("more than 500 deep"), message);
        }
    }
}
