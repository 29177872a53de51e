package io.github.bts4j.train.eval;

import java.math.BigDecimal;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** When a generated answer is right. */
public sealed interface AnswerRule {
    /**
     * Judges an answer.
     *
     * @param generated what the model wrote
     * @param reference what is right
     * @return whether it is right
     */
    boolean matches(String generated, String reference);

    /**
     * The text must be the same once both are normalised.
     *
     * @param strip whether white space at both ends does not count
     * @param ignoreCase whether case does not count
     * @param ignorePunctuation whether punctuation (Unicode's categories P) does not count
     */
    record SameText(boolean strip, boolean ignoreCase, boolean ignorePunctuation) implements AnswerRule {
        /**
         * White space at both ends does not count, all else does.
         *
         * @return the rule
         */
        public static SameText stripped() {
            return new SameText(true, false, false);
        }

        @Override
        public boolean matches(String generated, String reference) {
            return normal(generated).equals(normal(reference));
        }

        private String normal(String text) {
            String normal = ignorePunctuation ? text.replaceAll("\\p{P}", "") : text;
            normal = ignoreCase ? normal.toLowerCase(Locale.ROOT) : normal;
            return strip ? normal.strip() : normal;
        }
    }

    /**
     * The last number of the text must be the last of the reference. Numbers have digits, perhaps a minus sign, and perhaps a decimal point with digits
     * behind it; there are no separators of thousands. 82 and 82.0 are the same.
     */
    record LastNumber() implements AnswerRule {
        private static final Pattern NUMBER = Pattern.compile("(?:(?<![\\w)])-)?\\d+(?:\\.\\d+)?");

        @Override
        public boolean matches(String generated, String reference) {
            Optional<BigDecimal> found = last(generated);
            Optional<BigDecimal> right = last(reference);
            return found.isPresent() && right.isPresent() && found.get().compareTo(right.get()) == 0;
        }

        /**
         * The last number of a text.
         *
         * @param text the text
         * @return the number, empty if there is none
         */
        public static Optional<BigDecimal> last(String text) {
            Matcher numbers = NUMBER.matcher(text);
            Optional<BigDecimal> last = Optional.empty();
            while (numbers.find()) {
                last = Optional.of(new BigDecimal(numbers.group()));
            }
            return last;
        }
    }
}
