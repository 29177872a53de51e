package io.github.bts4j.core.chat.jinja;

import java.util.function.IntPredicate;

/** {@code isalpha} and its like. */
final class StringTests {
    private static final int[][] DIGITS = {{0xb2, 0xb3}, {0xb9, 0xb9}, {0x1369, 0x1371}, {0x19da, 0x19da}, {0x2070, 0x2070}, {0x2074, 0x2079},
        {0x2080, 0x2089}, {0x2460, 0x2468}, {0x2474, 0x247c}, {0x2488, 0x2490}, {0x24ea, 0x24ea}, {0x24f5, 0x24fd}, {0x24ff, 0x24ff}, {0x2776, 0x277e},
        {0x2780, 0x2788}, {0x278a, 0x2792}, {0x10a40, 0x10a43}, {0x10e60, 0x10e68}, {0x11052, 0x1105a}, {0x1f100, 0x1f10a}};
    private static final String IDEOGRAPHS = "一二三四五六七八九十百千万億兆〇零壹貳參肆伍陸柒捌玖拾佰仟亿两叁参陌阡廿卅卌弌弍弎幺亖";

    private StringTests() {}

    private static boolean all(String text, IntPredicate test) {
        return !text.isEmpty() && text.codePoints().allMatch(test);
    }

    static boolean isAlpha(String text) {
        return all(text, Character::isLetter);
    }

    static boolean isDecimal(String text) {
        return all(text, StringTests::decimal);
    }

    static boolean isDigit(String text) {
        return all(text, StringTests::digit);
    }

    static boolean isNumeric(String text) {
        return all(text, StringTests::numeric);
    }

    static boolean isAlnum(String text) {
        return all(text, c -> Character.isLetter(c) || numeric(c));
    }

    static boolean isSpace(String text) {
        return all(text, Text::isSpace);
    }

    static boolean isAscii(String text) {
        return text.chars().allMatch(c -> c < 128);
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
        if (decimal(c)) {
            return true;
        }
        for (int[] range : DIGITS) {
            if (c >= range[0] && c <= range[1]) {
                return true;
            }
        }
        return false;
    }

    private static boolean numeric(int c) {
        int type = Character.getType(c);
        return type == Character.DECIMAL_DIGIT_NUMBER || type == Character.LETTER_NUMBER || type == Character.OTHER_NUMBER || IDEOGRAPHS.indexOf(c) >= 0;
    }
}
