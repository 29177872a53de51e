package io.github.bts4j.train.eval;

import io.github.bts4j.core.support.Problems;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * A multiple-choice question.
 *
 * @param context text before each choice, possibly empty
 * @param choices the answers, 2 or more, including any space after the context
 * @param answer index of the correct one, from 0
 */
public record ChoiceItem(String context, List<String> choices, int answer) {
    /**
     * Copies the choices and checks the values.
     *
     * @param context text before each choice
     * @param choices the answers
     * @param answer index of the correct one
     * @throws IllegalArgumentException listing all problems: fewer than two choices, empty ones, an index out of range, a wrong choice that equals
     *     the correct one
     */
    public ChoiceItem {
        Objects.requireNonNull(context, "context");
        choices = List.copyOf(choices);
        Problems problems = new Problems();
        problems.addIf(choices.size() < 2, choices.size() + " choices; at least 2 are required");
        problems.addIf(choices.contains(""), "choice " + choices.indexOf("") + " is empty");
        if (answer < 0 || answer >= choices.size()) {
            problems.add("answer = " + answer + " is not between 0 and " + (choices.size() - 1) + ", the last of the choices");
        } else if (choices.indexOf(choices.get(answer)) != choices.lastIndexOf(choices.get(answer))) {
            problems.add("the right choice '" + choices.get(answer) + "' is among the wrong ones too");
        }
        problems.throwInOneLine("Choice item '" + context + "': ");
    }

    /** {@return the text of the correct choice} */
    public String right() {
        return choices.get(answer);
    }

    /** Every choice after the context. */
    List<Continuation> continuations() {
        return IntStream.range(0, choices.size()).mapToObj(i -> new Continuation(context, choices.get(i))).toList();
    }
}
