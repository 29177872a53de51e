package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code str.format} as the sandbox has it: fields reach what templates reach. */
final class StringFormat {
    private final Run run;
    private final List<Object> positional;
    private final Map<String, Object> named;
    private int automatic;

    private StringFormat(Run run, List<Object> positional, Map<String, Object> named) {
        this.run = run;
        this.positional = positional;
        this.named = named;
    }

    static String format(Run run, String format, List<Object> positional, Map<String, Object> named) {
        String text = new StringFormat(run, positional, named).expand(format, 2);
        run.budget().text(text.length());
        return text;
    }

    static Object formatMap(Run run, String format, Arguments arguments) {
        if (!(arguments.positional("format_map", 1, 1).get(0) instanceof PyDict dict)) {
            throw Fault.type("format_map() argument must be a mapping");
        }
        Map<String, Object> named = new LinkedHashMap<>();
        dict.entries().stream().filter(entry -> Types.isText(entry.key())).forEach(entry -> named.put(Types.text(entry.key()), entry.value()));
        return format(run, format, List.of(), named);
    }

    private String expand(String format, int levels) {
        throwIf(levels == 0, () -> Fault.value("Max string recursion exceeded"));
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            boolean doubled = i + 1 < format.length() && format.charAt(i + 1) == c;
            if (c != '{' && c != '}') {
                out.append(c);
            } else if (doubled) {
                out.append(c);
                i++;
            } else if (c == '}') {
                throw Fault.value("Single '}' encountered in format string");
            } else {
                int end = fieldEnd(format, i + 1);
                String text = field(format.substring(i + 1, end), levels);
                run.budget().text(text.length());
                out.append(text);
                i = end;
            }
        }
        return out.toString();
    }

    private static int fieldEnd(String format, int from) {
        throwIf(from == format.length(), () -> Fault.value("Single '{' encountered in format string"));
        int open = 1;
        boolean bracket = false;
        for (int i = from; i < format.length(); i++) {
            char c = format.charAt(i);
            bracket = c == '[' || bracket && c != ']';
            open += c == '{' ? 1 : c == '}' && !bracket ? -1 : 0;
            if (open == 0) {
                return i;
            }
        }
        throw Fault.value("expected '}' before end of string");
    }

    private String field(String field, int levels) {
        int end = 0;
        boolean bracket = false;
        while (end < field.length() && (bracket || field.charAt(end) != ':' && field.charAt(end) != '!')) {
            char c = field.charAt(end++);
            bracket = c == '[' || bracket && c != ']';
            throwIf(c == '{', () -> Fault.value("unexpected '{' in field name"));
        }
        Object value = value(field.substring(0, end));
        String rest = field.substring(end);
        if (rest.startsWith("!")) {
            if (rest.length() < 2 || rest.length() > 2 && rest.charAt(2) != ':') {
                throw Fault.value(rest.length() < 2 ? "unmatched '{' in format spec" : "expected ':' after conversion specifier");
            }
            value = converted(value, rest.charAt(1));
            rest = rest.substring(2);
        }
        return FormatSpec.format(run, value, rest.isEmpty() ? "" : expand(rest.substring(1), levels - 1));
    }

    private Object converted(Object value, char conversion) {
        return switch (conversion) {
            case 's' -> Repr.str(run, value);
            case 'r' -> Repr.repr(run, value);
            case 'a' -> PercentFormat.ascii(Repr.repr(run, value));
            default -> throw Fault.value("Unknown conversion specifier " + conversion);
        };
    }

    private Object value(String name) {
        int end = 0;
        while (end < name.length() && name.charAt(end) != '.' && name.charAt(end) != '[') {
            end++;
        }
        Object value = first(name.substring(0, end));
        int at = end;
        while (at < name.length()) {
            if (name.charAt(at) == '.') {
                int next = at + 1;
                while (next < name.length() && name.charAt(next) != '.' && name.charAt(next) != '[') {
                    next++;
                }
                throwIf(next == at + 1, () -> Fault.value("Empty attribute in format string"));
                value = Members.attribute(run, value, name.substring(at + 1, next));
                at = next;
            } else {
                int close = name.indexOf(']', at);
                throwIf(name.charAt(at) != '[' || close < 0,
                        () -> Fault.value(close < 0 ? "Missing ']' in format string" : "Only '.' or '[' may follow ']' in format field specifier"));
                String key = name.substring(at + 1, close);
                throwIf(key.isEmpty(), () -> Fault.value("Empty attribute in format string"));
                value = Members.item(run, value, isIndex(key) ? new BigInteger(key) : key);
                at = close + 1;
            }
        }
        return value;
    }

    private static boolean isIndex(String key) {
        return !key.isEmpty() && key.length() < 19 && key.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    private Object first(String name) {
        if (name.isEmpty()) {
            throwIf(automatic < 0, () -> Fault.value("cannot switch from manual field specification to automatic field numbering"));
            return positional(automatic++);
        }
        if (isIndex(name)) {
            throwIf(automatic > 0, () -> Fault.value("cannot switch from automatic field numbering to manual field specification"));
            automatic = -1;
            return positional(Numbers.clipped(new BigInteger(name)));
        }
        throwIf(!named.containsKey(name), () -> Fault.lookup(Repr.text(name)));
        return named.get(name);
    }

    private Object positional(int index) {
        throwIf(index >= positional.size(), () -> Fault.lookup("Replacement index " + index + " out of range for positional args tuple"));
        return positional.get(index);
    }
}
