package io.github.bts4j.core.tokenizer;

import java.util.List;

/**
 * Tokens and their positions in the text: from {@code begins[i]} up to {@code ends[i]}, as indices into the Java string. A token without
 * characters begins where it ends.
 *
 * @param ids the ids
 * @param begins where each begins
 * @param ends where each ends
 */
public record TokenOffsets(int[] ids, int[] begins, int[] ends) {
    /** From the offsets of the tokenizers library, which counts code points. */
    static TokenOffsets of(String text, int[][] encoding) {
        int[] units = units(text);
        return new TokenOffsets(encoding[0], mapped(encoding[1], units), mapped(encoding[2], units));
    }

    /** The same where the template's special tokens were written under other names. */
    static TokenOffsets of(String text, int[][] encoding, List<PromptSegment> pieces, DisguisedSpecials disguises) {
        int disguised = 0;
        for (PromptSegment piece : pieces) {
            disguised += written(piece, disguises).codePointCount(0, written(piece, disguises).length());
        }
        int[] begins = new int[disguised + 1];
        int[] ends = new int[disguised + 1];
        int at = 0;
        int unit = 0;
        for (PromptSegment piece : pieces) {
            int[] units = units(piece.text());
            int count = written(piece, disguises).codePointCount(0, written(piece, disguises).length());
            for (int i = 0; i < count; i++) {
                begins[at] = unit + (piece.template() ? 0 : units[i]);
                ends[at + 1] = unit + (piece.template() ? piece.text().length() : units[i + 1]);
                at++;
            }
            unit += piece.text().length();
        }
        begins[at] = unit;
        return new TokenOffsets(encoding[0], mapped(encoding[1], begins), mapped(encoding[2], ends));
    }

    private static String written(PromptSegment piece, DisguisedSpecials disguises) {
        return piece.template() ? disguises.disguise(piece.text()) : piece.text();
    }

    /** The index into the Java text of each code point, and of the end. */
    private static int[] units(String text) {
        int[] units = new int[text.codePointCount(0, text.length()) + 1];
        int at = 0;
        for (int i = 0; i < units.length - 1; i++) {
            units[i] = at;
            at += Character.charCount(text.codePointAt(at));
        }
        units[units.length - 1] = at;
        return units;
    }

    private static int[] mapped(int[] codePoints, int[] units) {
        int[] mapped = new int[codePoints.length];
        for (int i = 0; i < mapped.length; i++) {
            mapped[i] = units[Math.min(codePoints[i], units.length - 1)];
        }
        return mapped;
    }
}
