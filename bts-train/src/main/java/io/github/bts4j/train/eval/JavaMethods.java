package io.github.bts4j.train.eval;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * Finds methods in Java source that may be truncated. Text between a brace or semicolon and an opening brace is a method's header if it is a
 * valid method once closed.
 *
 * @param syntax the grammar
 * @param maxPrompt maximum number of characters of a prompt
 */
record JavaMethods(JavaSyntax syntax, int maxPrompt) {

    /** A method of a source; empty if there is none. */
    Optional<MethodItem> draw(String text, Random random) {
        List<Integer> marks = JavaBraces.marks(text);
        List<Integer> openings = new ArrayList<>();
        for (int i = 0; i < marks.size(); i++) {
            if (text.charAt(marks.get(i)) == '{') {
                openings.add(i);
            }
        }
        Collections.shuffle(openings, random);
        for (int opening : openings) {
            Optional<MethodItem> item = item(text, opening == 0 ? 0 : marks.get(opening - 1) + 1, marks.get(opening) + 1);
            if (item.isPresent()) {
                return item;
            }
        }
        return Optional.empty();
    }

    private Optional<MethodItem> item(String text, int from, int to) {
        String header = text.substring(from, to);
        int end = JavaBraces.end(text.substring(to));
        boolean empty = end < 0 || text.substring(to, to + end - 1).isBlank();
        if (empty || header.length() > maxPrompt || !header.contains("(") || !syntax.isMethod(header + "}")) {
            return Optional.empty();
        }
        return Optional.of(new MethodItem(context(text.substring(0, from), maxPrompt - header.length()), header));
    }

    /** Whole lines at the end of a text. */
    private static String context(String text, int most) {
        if (text.length() <= most) {
            return text;
        }
        int line = text.indexOf('\n', text.length() - most);
        return line < 0 ? "" : text.substring(line + 1);
    }
}
