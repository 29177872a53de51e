package io.github.bts4j.train.eval;

import java.math.BigDecimal;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A rule that decides whether a generated answer is correct. */
public sealed interface AnswerRule {
    /**
     * Decides whether an answer is correct.
     *
     * @param generated what the model wrote
     * @param reference the correct answer
     * @return whether it is correct
     */
    boolean matches(String generated, String reference);

    /**
     * The texts must be equal after normalisation.
     *
     * @param strip whether to ignore white space at both ends
     * @param ignoreCase whether to ignore case
     * @param ignorePunctuation whether to ignore punctuation (Unicode's categories P)
     */
    record SameText(boolean strip, boolean ignoreCase, boolean ignorePunctuation) implements AnswerRule {
        /** {@return exact match, ignoring white space at both ends} */
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
     * The last number of the text must be the last of the reference. Numbers have digits, an optional minus sign, and an optional decimal point with digits
     * after it, but no thousands separators. 82 and 82.0 are the same.
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
