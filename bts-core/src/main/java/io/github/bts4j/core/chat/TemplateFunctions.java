package io.github.bts4j.core.chat;

import com.hubspot.jinjava.el.ext.NamedParameter;
import com.hubspot.jinjava.lib.fn.Functions;
import com.hubspot.jinjava.objects.Namespace;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;

/** The functions that transformers and Jinja give to chat templates; public because Jinjava calls them. */
public final class TemplateFunctions {
    private static final Map<Character, String> DATES = Map.ofEntries(Map.entry('Y', "yyyy"), Map.entry('y', "yy"), Map.entry('m', "MM"),
            Map.entry('d', "dd"), Map.entry('H', "HH"), Map.entry('M', "mm"), Map.entry('S', "ss"), Map.entry('b', "MMM"), Map.entry('B', "MMMM"),
            Map.entry('a', "EEE"), Map.entry('A', "EEEE"), Map.entry('j', "DDD"), Map.entry('I', "hh"), Map.entry('p', "a"));

    private TemplateFunctions() {}

    /**
     * Refuses the conversation.
     *
     * @param message why
     * @return never
     * @throws IllegalArgumentException always
     */
    public static String raiseException(String message) {
        throw new IllegalArgumentException("the template refuses the conversation: " + message);
    }

    /**
     * A namespace with attributes, none among them; Jinjava's own leaves out those that are none.
     *
     * @param arguments a dict, or nothing, and named arguments
     * @return the namespace
     */
    public static Object namespace(Object... arguments) {
        Namespace namespace = Functions.createNamespace(arguments);
        for (Object argument : arguments) {
            if (argument instanceof NamedParameter named) {
                namespace.put(named.getName(), named.getValue());
            }
        }
        return namespace;
    }

    /**
     * The local time now.
     *
     * @param format as of C's strftime, in English
     * @return the formatted time
     * @throws IllegalArgumentException if the format has a directive other than those of dates and times that templates use
     */
    public static String strftimeNow(String format) {
        return strftime(format, ZonedDateTime.now());
    }

    static String strftime(String format, ZonedDateTime time) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                text.append(c);
                continue;
            }
            char directive = format.charAt(++i);
            if (directive == '%') {
                text.append('%');
            } else if (DATES.containsKey(directive)) {
                text.append(DateTimeFormatter.ofPattern(DATES.get(directive), Locale.ENGLISH).format(time));
            } else {
                throw new IllegalArgumentException("strftime_now: directive %" + directive + " is not known; those of " + DATES.keySet() + " are");
            }
        }
        return text.toString();
    }
}
