package io.github.bts4j.core.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.ChatTemplateException;
import io.github.bts4j.core.chat.jinja.JinjaTemplate;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Renders templates by strangers, in a process whose heap is bounded. Arguments: {@code mutated COUNT SEED}, or {@code hostile EVERY}; {@code baseline} before them measures what is
 * alive before the first template, in bytes, and ends. The last line is the number of templates and the slowest's milliseconds of computing; a line before it is a problem.
 */
final class JinjaFuzz {
    private static final long MAX_NANOS = 1_000_000_000L;
    private static final Map<String, Object> VARIABLES = Map.of("messages", List.of(Map.of("role", "user", "content", "hello <|x|> é 🙂")), "l", List.of(3, 1, 2),
            "d", Map.of("a", 1), "s", "text", "n", 7);
    private static final List<String> PIECES = List.of("{{", "}}", "{%", "%}", "{#", "#}", "(", ")", "[", "]", "{", "}", "|", "'", "\"", ".", ",", ":", "*", "**", "-", "+", "~", "%",
            "=", "<", " in ", " is ", " not ", " if ", " else ", " for ", "{% for x in l %}", "{% endfor %}", "{% if s %}", "{% endif %}", "{% set ns = namespace() %}", "{% set ns.a = ns %}",
            "{% macro f() %}", "{% endmacro %}", "f()", "range(99999)", "1000000000", "99", "messages", "loop", "loop(l)", " recursive", "namespace", "dict", ".join", ".format", "|list",
            "|tojson", "|map('upper')", "|batch(9)", "|sort", "|join", "\\", "é", "🙂", "\uD83D", "\n", "-%}", "{%-", "self", "caller()", "__class__", "none", "true", "'a' * 10", "{% filter upper %}",
            "{% endfilter %}", "{% generation %}", "{% endgeneration %}", "{% break %}", "{% block b %}", "{% endblock %}", "{% raw %}", "{% endraw %}", "{% call f() %}", "{% endcall %}");

    private long slowest;
    private int count;

    private JinjaFuzz() {}

    public static void main(String[] arguments) throws IOException {
        List<String> words = new ArrayList<>(List.of(arguments));
        boolean baseline = words.remove("baseline");
        List<String> seeds = seeds();
        List<String> hostile = words.get(0).equals("hostile") ? hostile() : List.of();
        JinjaFuzz fuzz = new JinjaFuzz();
        seeds.forEach(fuzz::problem); // so that what is loaded once is loaded
        if (baseline) {
            System.out.println(alive(List.of(seeds, hostile)));
            return;
        }
        fuzz.count = 0;
        fuzz.slowest = 0;
        if (hostile.isEmpty()) {
            Random random = new Random(Long.parseLong(words.get(2)));
            for (int i = Integer.parseInt(words.get(1)); i > 0; i--) {
                fuzz.report(mutated(seeds.get(random.nextInt(seeds.size())), seeds, random));
            }
        } else {
            for (int i = 0; i < hostile.size(); i += Integer.parseInt(words.get(1))) {
                fuzz.report(hostile.get(i));
            }
        }
        System.out.println(fuzz.count + " templates, " + fuzz.slowest / 1_000_000 + " ms");
    }

    /** Bytes of the heap after a collection; what is held is part of them. */
    private static long alive(List<List<String>> held) {
        System.gc();
        System.gc();
        long bytes = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
        return held.isEmpty() ? 0 : bytes;
    }

    private void report(String template) {
        String problem = problem(template);
        if (problem != null) {
            System.out.println(problem + ": " + template.substring(0, Math.min(300, template.length())).replace('\n', ' '));
        }
    }

    private static List<String> seeds() throws IOException {
        Set<String> templates = new LinkedHashSet<>();
        Path data = Path.of(System.getProperty("bts4j.testData"));
        for (JsonNode each : new ObjectMapper().readTree(Files.readString(data.resolve("chat/probes.json"))).get("cases")) {
            templates.add(each.get("template").asText());
        }
        templates.addAll(Files.readAllLines(data.resolve("tools/jinja_statements.txt")));
        return List.copyOf(templates);
    }

    /** The kind of what came, null if all is well. */
    private String problem(String template) {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long begin = threads.getCurrentThreadCpuTime();
        String kind = null;
        try {
            JinjaTemplate.compile(template).render(VARIABLES, Clock.systemUTC());
        } catch (ChatTemplateException e) {
            kind = e.line() < 1 || e.column() < 1 ? "no place" : null;
        } catch (Throwable e) {
            kind = e.toString();
        }
        long nanos = threads.getCurrentThreadCpuTime() - begin;
        count++;
        slowest = Math.max(slowest, nanos);
        return kind != null ? kind : nanos > MAX_NANOS ? nanos / 1_000_000 + " ms" : null;
    }

    private static String mutated(String template, List<String> seeds, Random random) {
        StringBuilder text = new StringBuilder(template);
        for (int changes = 1 + random.nextInt(5); changes > 0; changes--) {
            int at = random.nextInt(text.length() + 1);
            int end = Math.min(text.length(), at + random.nextInt(8));
            switch (random.nextInt(5)) {
                case 0 -> text.delete(at, end);
                case 1 -> text.insert(at, PIECES.get(random.nextInt(PIECES.size())));
                case 2 -> text.replace(at, end, PIECES.get(random.nextInt(PIECES.size())));
                case 3 -> text.insert(at, text.substring(at, end).repeat(1 + random.nextInt(20)));
                default -> {
                    String other = seeds.get(random.nextInt(seeds.size()));
                    text.insert(at, other.substring(random.nextInt(other.length() + 1)));
                }
            }
        }
        return text.toString();
    }

    private static String loops(int depth, String inside) {
        return "{% for i in range(99999) %}".repeat(depth) + inside + "{% endfor %}".repeat(depth);
    }

    private static List<String> hostile() {
        List<String> templates = new ArrayList<>();
        for (int n : List.of(10, 1000, 20_000)) {
            templates.addAll(List.of("{{ " + "(".repeat(n) + "1" + ")".repeat(n) + " }}", "{{ " + "[".repeat(n) + "]".repeat(n) + " }}", "{{ " + "-".repeat(n) + "1 }}",
                    "{{ " + "not ".repeat(n) + "1 }}", "{{ 1" + " + 1".repeat(n) + " }}", "{{ s" + ".x".repeat(n) + " }}", "{{ s" + "|upper".repeat(n) + " }}", "{{ s" + "[0]".repeat(n) + " }}",
                    "{{ 1" + " if 1 else 1".repeat(n) + " }}", "{{ 1" + " ~ 1".repeat(n) + " }}", "{{ " + "{1:".repeat(n) + "1" + "}".repeat(n) + " }}", "{% if 1 %}".repeat(n) + "{% endif %}".repeat(n),
                    "{% if 1 %}a" + "{% elif 1 %}b".repeat(n) + "{% endif %}", "{% for x in l %}".repeat(n) + "{% endfor %}".repeat(n), "{{ s" + "()".repeat(n) + " }}", "{% macro f() %}".repeat(n)
                    + "{% endmacro %}".repeat(n), "{{ 1" + " < 1".repeat(n) + " }}", "{{ 1 is " + "not ".repeat(n) + "odd }}", "{% filter upper" + "|upper".repeat(n) + " %}a{% endfilter %}",
                    "{{ 2" + "**2".repeat(n) + " }}", "{# ".repeat(n), "{% raw %}{% ".repeat(n), "{{ '" + "\\".repeat(n) + " }}", "{% set x = " + "x,".repeat(n) + " %}"));
        }
        for (String inside : List.of("", "x", "{{ i }}", "{{ s * 9 }}", "{% set a = [i] %}", "{{ i|string|upper }}", "{{ 'a b c'.split() }}", "{{ l|sort }}", "{{ l|map('string')|join }}", "{{ d|tojson }}",
                "{{ '%s' % i }}", "{{ '{}'.format(i) }}", "{{ loop.index }}", "{% if i == l %}{% endif %}", "{{ i * i * i }}", "{{ i / 7 }}", "{{ messages }}", "{{ 1.1 ** i }}")) {
            templates.addAll(List.of(loops(1, inside), loops(2, inside), loops(5, inside)));
        }
        for (String grow : List.of("x ~ x", "x + x", "x * 2", "x|replace('a', 'aa')", "x|upper ~ x", "[x, x]|join", "x|indent(999) ~ x", "x|urlencode ~ x", "x|e ~ x", "x.join([x, x])", "x|center(9999) ~ x",
                "'%s%s' % (x, x)", "'{0}{0}'.format(x)", "x|tojson ~ x", "[x]|tojson|tojson ~ x", "x.replace('', x)")) {
            for (String output : List.of("", "{{ x }}", "{{ x|length }}")) {
                templates.add("{% set ns = namespace(x='a') %}{% for i in range(200) %}{% set x = ns.x %}{% set ns.x = " + grow + " %}" + output + "{% endfor %}");
            }
        }
        for (String use : List.of("{{ ns.x }}", "{{ ns.x == ns.y }}", "{{ ns.x|tojson }}", "{{ ns.x < ns.y }}", "{{ ns.x in [ns.y] }}", "{{ {ns.t: 1} }}", "{{ ns.x|pprint }}", "{{ ns.x|string|length }}",
                "{{ ns.x|sort }}", "{{ [ns.x, ns.y]|unique|list }}", "{{ [ns.x, ns.y]|max }}", "{{ ns }}", "{{ ns.t == ns.t2 }}", "{{ ns.t in {ns.t2: 1} }}", "{{ '%r' % ns.x }}")) {
            for (int n : List.of(10, 30, 300, 5000)) {
                templates.add("{% set ns = namespace(x=[1], y=[1], t=(1,), t2=(1,)) %}{% for i in range(" + n + ") %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% set ns.t = (ns.t, ns.t) %}"
                        + "{% set ns.t2 = (ns.t2, ns.t2) %}{% endfor %}" + use);
                templates.add("{% set ns = namespace(x=l) %}{% set ns.y = ns %}{% for i in range(" + n + ") %}{% set ns.x = {'a': ns.x, 'b': [ns]} %}{% endfor %}" + use);
            }
        }
        for (String expression : List.of("9**9**9", "9**99999", "(9**9999)|string", "2**60000 * 2**60000", "'a' * 10**9", "[1] * 10**9", "(1,) * 10**12", "range(10**9)|list", "range(100000)|list|string|length",
                "l|batch(1000000000, 0)|list", "l|slice(1000000000)|list", "'a'.center(10**9)", "'a'.zfill(10**10)", "'%1000000000d' % 1", "'%.1000000000f' % 1.5", "'{:1000000000}'.format(1)",
                "'{:.1000000000f}'.format(1.5)", "'a'|center(1000000000)", "'a'|indent(1000000000, true)", "'\\t'.expandtabs(1000000000)", "l|tojson(indent=1000000000)", "'a b'|wordwrap(1, wrapstring='x' * 9999)",
                "1e308|int * 1e308|int", "('9' * 4000)|int ** 30", "(10**4000) % (10**3999 + 1)", "'1' * 100000 |int", "('x' * 99999).replace('', 'y' * 99999)", "('a' * 999999).split('a')|list|length",
                "('a' * 999999).count('a' * 499999 ~ 'b')", "('a' * 999999).find('a' * 499999 ~ 'b')", "('a ' * 999999)|title|length", "('🙂' * 99999)[99998]", "('<' * 999999)|striptags", "('&' * 999999)|striptags",
                "range(100000)|map('string')|sort|join|length", "range(100000)|groupby('x')", "(range(100000)|list) == (range(100000)|list)", "range(100000)|batch(1)|list|string|length", "{}.__class__.__mro__",
                "''.__class__.__subclasses__()", "messages.getClass()", "''.format.__globals__", "namespace.__init__", "dict.__class__", "cycler.__init__.__globals__", "lipsum.__globals__", "self._TemplateReference__context",
                "'{0.__class__.__init__.__globals__}'.format(namespace)", "____int3rpr3t3r____.config", "('%s' * 99999) % (range(99999)|list)", "range(99999)|random", "joiner('x' * 9)()", "round(1)", "1.5|round(999999999)",
                "1|round(-999999999)", "0.1 ** 99999", "1e999|int", "'nan'|float|int", "('[' * 5000)|length", "'a' < 'a' * 9999999", "{'a': 1}|dictsort|tojson", "(l|map('list'))|list", "'{a.b.c[0]}'.format(a=d)",
                "('a' * 500000)|wordwrap(1)", "(' ' * 500000)|wordwrap(7)", "('\u00df' * 500000).upper()", "('\u0149' * 500000)|upper", "('\u0130' * 500000)|lower", "('\u0130\u03a3' * 250000).swapcase()",
                "('\u00e9' * 999999)|tojson(ensure_ascii=true)", "strftime_now('%Y' * 999999)", "raise_exception('x' * 9999999)", "('-' * 99999)|wordwrap(3)", "('a' * 9999)|wordwrap(1)", "s|truncate(10**9)", "('ab' * 99999)|wordwrap(9)", "'&#x' * 99999 |striptags")) {
            templates.add("{{ " + expression + " }}");
            templates.add("{% for i in range(99999) %}{% set x = " + expression + " %}{% endfor %}");
            templates.add("{% set ns = namespace(x=[]) %}{% for i in range(99999) %}{% set ns.x = ns.x + [" + expression + "] %}{% endfor %}{{ ns.x }}");
        }
        for (String expression : List.of("b|int", "b|float", "b|length", "b|first", "b|last", "b|string", "b|truncate(5)", "b|wordcount", "b|center(3)", "b is upper", "b|trim('b')", "{b: 1}[c]", "b in {c: 1}", "1|default(b)",
                "[b]|map('int')|list", "[b]|select('lower')|list", "b.encode()|length", "b.isalpha()", "b.find('b')", "b < c", "b == c", "loop.changed(b)")) {
            templates.add("{% set b = 'a\ud83d\ude42' * 150000 %}{% set c = 'a\ud83d\ude42' * 150000 %}{% for i in range(99999) %}{% set x = " + expression + " %}{% endfor %}");
        }
        templates.addAll(List.of("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "{% macro f(n) %}{{ f(n + 1) ~ f(n + 2) }}{% endmacro %}{{ f(0) }}", "{% for x in [l] recursive %}{{ loop([l]) }}{% endfor %}",
                "{% block b %}{{ self.b() }}{% endblock %}", "{% macro f() %}{{ caller() }}{{ f() }}{% endmacro %}{% call f() %}{{ f() }}{% endcall %}", "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}"
                + "{% endmacro %}{{ f(100) }}", "{% set ns = namespace() %}{% set ns.f = ns %}{{ ns }}{{ ns == ns }}{{ ns|tojson }}", "{% macro f(x) %}" + "{% if 1 %}".repeat(90) + "{{ " + "[".repeat(90) + "f(x)" + "]".repeat(90)
                + " }}" + "{% endif %}".repeat(90) + "{% endmacro %}{{ f(1) }}", "{{ 'x' ".repeat(100_000), "{{ s }}".repeat(200_000), "x".repeat(1_900_000), "{% if".repeat(100_000), "{{ '" + "a".repeat(1_000_000) + "' }}"));
        return templates;
    }
}
