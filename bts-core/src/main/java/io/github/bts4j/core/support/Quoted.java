package io.github.bts4j.core.support;

import java.util.stream.Collectors;

/** Makes untrusted text safe for messages. */
public final class Quoted {
    private static final int SHOWN_CHARACTERS = 120;
    private static final int LINE_CHARACTERS = 2000;
    private static final int MESSAGE_CHARACTERS = 20_000;

    private Quoted() {}

    /**
     * Puts text of unknown origin into quotes, shortened and with control characters escaped.
     *
     * @param text text from a file
     * @return text that is safe in a message
     */
    public static String of(String text) {
        return "'" + safe(text, SHOWN_CHARACTERS) + "'";
    }

    /**
     * Makes one line of a message of unknown origin: shortened to 2,000 characters, line breaks as spaces, other control characters escaped.
     *
     * @param message a message that has parts from a file
     * @return one line
     */
    public static String line(String message) {
        return safe(message.replace('\n', ' '), LINE_CHARACTERS);
    }

    /**
     * Makes a message of unknown origin safe to print: shortened to 20,000 characters, with control characters escaped except line breaks.
     *
     * @param message a message that may have parts from a file, or null
     * @return the message, null for null
     */
    public static String message(String message) {
        if (message == null || message.length() <= MESSAGE_CHARACTERS && message.chars().noneMatch(c -> Character.isISOControl(c) && c != '\n')) {
            return message;
        }
        String start = message.length() > MESSAGE_CHARACTERS ? message.substring(0, MESSAGE_CHARACTERS) + "..." : message;
        return start.lines().map(line -> safe(line, line.length())).collect(Collectors.joining("\n"));
    }

    private static String safe(String text, int most) {
        StringBuilder shown = new StringBuilder();
        int end = Math.min(text.length(), most);
        for (int i = 0; i < end; i++) {
            char c = text.charAt(i);
            if (Character.isISOControl(c) || isLoneSurrogate(text, i)) {
                shown.append(String.format("\\u%04x", (int) c));
            } else {
                shown.append(c);
            }
        }
        return shown.append(end < text.length() ? "..." : "").toString();
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
