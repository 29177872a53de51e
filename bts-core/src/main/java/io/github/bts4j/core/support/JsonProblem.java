package io.github.bts4j.core.support;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.exc.InvalidFormatException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import java.util.Collection;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Describes an error in JSON or YAML with line, column and key, without the names of Java classes.
 */
public final class JsonProblem {
    private static final int SHOWN_CHARACTERS = 300;
    private static final Pattern START = Pattern.compile("\\((?:start marker|for \\w+ starting) at \\[Source: [^;]*; line: (\\d+)[^\\]]*\\]\\)");
    private static final Pattern SOURCE = Pattern.compile("\\[Source: [^;]*; line: (\\d+)[^\\]]*\\]");
    private static final Pattern SETTING = Pattern.compile(",? from `[^`]*`|\\s*\\([^()]*Feature[^()]*\\)|[:;]? enable \\S*Feature\\S*( to allow)?");
    private static final Pattern KEY = Pattern.compile("^(Missing(?: required)?|Null value for) creator property '([^']*)'.*", Pattern.DOTALL);

    private JsonProblem() {}

    /**
     * Describes a failure to parse or to bind.
     *
     * @param failure what Jackson threw
     * @return one line, such as {@code line 3, column 14: Unexpected end-of-input in a value}
     */
    public static String of(JacksonException failure) {
        return place(failure) + withoutPlace(failure);
    }

    /**
     * Describes a failure to parse or to bind, where line and column are said otherwise.
     *
     * @param failure what Jackson threw
     * @return one line without line and column
     */
    public static String withoutPlace(JacksonException failure) {
        return failure instanceof JsonMappingException binding ? path(binding) + binding(binding) : clean(failure.getOriginalMessage());
    }

    /**
     * Describes an error in a single line, whose number the caller knows.
     *
     * @param failure what Jackson threw
     * @return one line that ends in the column
     */
    public static String inLine(JacksonException failure) {
        return withoutPlace(failure) + (failure.getLocation() == null ? "" : " (column " + failure.getLocation().getColumnNr() + ")");
    }

    private static String place(JacksonException failure) {
        return failure.getLocation() == null || failure.getLocation().getLineNr() < 1 ? ""
                : "line " + failure.getLocation().getLineNr() + ", column " + failure.getLocation().getColumnNr() + ": ";
    }

    private static String path(JsonMappingException failure) {
        StringBuilder path = new StringBuilder();
        failure.getPath().forEach(step -> path.append(step.getFieldName() == null ? "[" + step.getIndex() + "]" : (path.isEmpty() ? "" : ".") + step.getFieldName()));
        Matcher missing = KEY.matcher(String.valueOf(failure.getOriginalMessage()));
        boolean named = missing.matches() || failure instanceof UnrecognizedPropertyException;
        String last = failure.getPath().isEmpty() ? null : failure.getPath().get(failure.getPath().size() - 1).getFieldName();
        if (named && last != null) { // the message names the key itself
            path.setLength(Math.max(0, path.length() - last.length() - 1));
        }
        return path.isEmpty() ? "" : path + ": ";
    }

    private static String binding(JsonMappingException failure) {
        String message = String.valueOf(failure.getOriginalMessage());
        Matcher key = KEY.matcher(message);
        if (key.matches()) {
            return "the key '" + key.group(2) + "' " + (key.group(1).startsWith("Missing") ? "is missing" : "is null");
        }
        if (failure instanceof UnrecognizedPropertyException unknown) {
            Collection<Object> known = unknown.getKnownPropertyIds();
            return "the key " + Quoted.of(unknown.getPropertyName()) + " is not known"
                    + (known == null ? "" : "; known are " + known.stream().map(String::valueOf).collect(Collectors.toCollection(TreeSet::new)).stream().collect(Collectors.joining(", ")));
        }
        if (failure instanceof ValueInstantiationException && failure.getCause() != null && failure.getCause().getMessage() != null) {
            return clean(failure.getCause().getMessage());
        }
        if (failure instanceof InvalidFormatException invalid) {
            return Quoted.of(String.valueOf(invalid.getValue())) + " is not " + kind(invalid.getTargetType());
        }
        if (message.startsWith("No content to map")) {
            return "it is empty";
        }
        if (message.startsWith("Trailing token")) {
            return "Trailing token after the value";
        }
        if (failure instanceof MismatchedInputException mismatched && mismatched.getTargetType() != null && message.startsWith("Cannot ")) {
            return kind(mismatched.getTargetType()) + " is needed here";
        }
        return failure.getCause() instanceof JacksonException cause ? withoutPlace(cause) : clean(message);
    }

    private static String kind(Class<?> type) {
        if (type == null) {
            return "a valid value";
        }
        if (type == String.class) {
            return "a text";
        }
        if (type == boolean.class || type == Boolean.class) {
            return "true or false";
        }
        if (type == int.class || type == long.class || type == Integer.class || type == Long.class) {
            return "a whole number";
        }
        if (type.isPrimitive() || Number.class.isAssignableFrom(type)) {
            return "a number";
        }
        if (type.isEnum()) {
            return "one of " + java.util.Arrays.stream(type.getEnumConstants()).map(value -> ((Enum<?>) value).name().toLowerCase(java.util.Locale.ROOT)).collect(Collectors.joining(", "));
        }
        return Collection.class.isAssignableFrom(type) || type.isArray() ? "a list" : type.isRecord() || Map.class.isAssignableFrom(type) ? "an object" : "another value";
    }

    /** Without the names of Jackson's settings and of classes. */
    private static String clean(String message) {
        String text = START.matcher(message.lines().map(String::strip).collect(Collectors.joining(" "))).replaceAll("(begun in line $1)");
        text = SOURCE.matcher(text).replaceAll("line $1");
        text = SETTING.matcher(text).replaceAll("");
        text = text.replaceAll("\\(class [\\w.$]+\\)|`(?:[a-z]\\w*\\.)+[A-Z][\\w$.<>]*`", "").replaceAll(" {2,}", " ").replaceAll(" ([;:,.])", "$1").strip();
        return text.length() > SHOWN_CHARACTERS ? text.substring(0, SHOWN_CHARACTERS) + "..." : text;
    }
}
