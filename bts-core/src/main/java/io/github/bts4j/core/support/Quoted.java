package io.github.bts4j.core.support;

/** Makes untrusted text safe for messages. */
public final class Quoted {
    private static final int SHOWN_CHARACTERS = 120;

    private Quoted() {}

    /**
     * Puts text of unknown origin into quotes, shortened and with control characters escaped.
     *
     * @param text text from a file
     * @return text that is safe in a message
     */
    public static String of(String text) {
        StringBuilder shown = new StringBuilder("'");
        int end = Math.min(text.length(), SHOWN_CHARACTERS);
        for (int i = 0; i < end; i++) {
            char c = text.charAt(i);
            if (Character.isISOControl(c) || isLoneSurrogate(text, i)) {
                shown.append(String.format("\\u%04x", (int) c));
            } else {
                shown.append(c);
            }
        }
        return shown.append(end < text.length() ? "...'" : "'").toString();
    }

    /**
     * Whether there is half a character.
     *
     * @param text the text
     * @param i where
     * @return true for a surrogate that belongs to no pair
     */
    public static boolean isLoneSurrogate(String text, int i) {
        char c = text.charAt(i);
        if (!Character.isSurrogate(c)) {
            return false;
        }
        return Character.isHighSurrogate(c) ? i + 1 >= text.length() || !Character.isLowSurrogate(text.charAt(i + 1))
                : i == 0 || !Character.isHighSurrogate(text.charAt(i - 1));
    }
}
