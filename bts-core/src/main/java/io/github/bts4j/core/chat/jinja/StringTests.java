package io.github.bts4j.core.chat.jinja;

import java.util.Arrays;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/** {@code isalpha} and its like. */
final class StringTests {
    private static final int[][] DIGITS = {{0xb2, 0xb3}, {0xb9, 0xb9}, {0x1369, 0x1371}, {0x19da, 0x19da}, {0x2070, 0x2070}, {0x2074, 0x2079},
        {0x2080, 0x2089}, {0x2460, 0x2468}, {0x2474, 0x247c}, {0x2488, 0x2490}, {0x24ea, 0x24ea}, {0x24f5, 0x24fd}, {0x24ff, 0x24ff}, {0x2776, 0x277e},
        {0x2780, 0x2788}, {0x278a, 0x2792}, {0x10a40, 0x10a43}, {0x10e60, 0x10e68}, {0x11052, 0x1105a}, {0x1f100, 0x1f10a}};
    private static final String IDEOGRAPHS = "一二三四五六七八九十百千万億兆〇零壹貳參肆伍陸柒捌玖拾佰仟亿两叁参陌阡廿卅卌弌弍弎幺亖";

    /** By their names in Python. */
    static final Map<String, Predicate<String>> TESTS = Map.ofEntries(
            Map.entry("isalpha", text -> all(text, Character::isLetter)),
            Map.entry("isdecimal", text -> all(text, StringTests::decimal)),
            Map.entry("isdigit", text -> all(text, StringTests::digit)),
            Map.entry("isnumeric", text -> all(text, StringTests::numeric)),
            Map.entry("isalnum", StringTests::isAlnum),
            Map.entry("isspace", text -> all(text, Text::isSpace)),
            Map.entry("isascii", text -> text.chars().allMatch(c -> c < 128)),
            Map.entry("islower", StringTests::isLower),
            Map.entry("isupper", StringTests::isUpper),
            Map.entry("istitle", StringTests::isTitle),
            Map.entry("isidentifier", StringTests::isIdentifier),
            Map.entry("isprintable", StringTests::isPrintable));

    private StringTests() {}

    private static boolean all(String text, IntPredicate test) {
        return !text.isEmpty() && text.codePoints().allMatch(test);
    }

    static boolean isAlnum(String text) {
        return all(text, c -> Character.isLetter(c) || numeric(c));
    }

    static boolean isLower(String text) {
        return text.codePoints().anyMatch(Character::isLowerCase) && text.codePoints().noneMatch(c -> Character.isUpperCase(c) || Character.isTitleCase(c));
    }

    static boolean isUpper(String text) {
        return text.codePoints().anyMatch(Character::isUpperCase) && text.codePoints().noneMatch(c -> Character.isLowerCase(c) || Character.isTitleCase(c));
    }

    static boolean isTitle(String text) {
        boolean cased = false;
        boolean before = false;
        for (int c : text.codePoints().toArray()) {
            boolean upper = Character.isUpperCase(c) || Character.isTitleCase(c);
            if (upper ? before : Character.isLowerCase(c) && !before) {
                return false;
            }
            before = upper || Character.isLowerCase(c);
            cased |= before;
        }
        return cased;
    }

    static boolean isIdentifier(String text) {
        if (text.isEmpty()) {
            return false;
        }
        int first = text.codePointAt(0);
        return (first == '_' || Character.isUnicodeIdentifierStart(first))
                && text.codePoints().allMatch(c -> Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c));
    }

    static boolean isPrintable(String text) {
        return text.codePoints().allMatch(StringTests::isPrintable);
    }

    static boolean isPrintable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.PRIVATE_USE, Character.UNASSIGNED, Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            case Character.SPACE_SEPARATOR -> c == ' ';
            default -> true;
        };
    }

    private static boolean decimal(int c) {
        return Character.getType(c) == Character.DECIMAL_DIGIT_NUMBER;
    }

    private static boolean digit(int c) {
        return decimal(c) || Arrays.stream(DIGITS).anyMatch(range -> c >= range[0] && c <= range[1]);
    }

    private static boolean numeric(int c) {
        int type = Character.getType(c);
        return type == Character.DECIMAL_DIGIT_NUMBER || type == Character.LETTER_NUMBER || type == Character.OTHER_NUMBER || IDEOGRAPHS.indexOf(c) >= 0;
    }
}
