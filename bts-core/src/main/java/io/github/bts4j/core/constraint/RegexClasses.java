package io.github.bts4j.core.constraint;

import java.util.List;

/** The classes of JavaScript's patterns. */
final class RegexClasses {
    static final CharSet DIGITS = CharSet.of(List.of('0' + 0, '9' + 0));
    static final CharSet WORD = CharSet.of(List.of('0' + 0, '9' + 0, 'A' + 0, 'Z' + 0, '_' + 0, '_' + 0, 'a' + 0, 'z' + 0));
    static final CharSet SPACE = CharSet.of(List.of(0x09, 0x0D, 0x20, 0x20, 0xA0, 0xA0, 0x1680, 0x1680, 0x2000, 0x200A, 0x2028, 0x2029, 0x202F, 0x202F,
            0x205F, 0x205F, 0x3000, 0x3000, 0xFEFF, 0xFEFF));

    private RegexClasses() {}
}
