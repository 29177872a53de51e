package io.github.bts4j.train.eval;

import io.github.bts4j.core.support.Problems;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * A question with given answers, of which one is right.
 *
 * @param context what comes before every choice, possibly empty
 * @param choices the answers, 2 or more; a space after the context belongs to them
 * @param answer index of the right one, from 0
 */
public record ChoiceItem(String context, List<String> choices, int answer) {
    /**
     * Copies the choices and checks the values.
     *
     * @param context what comes before every choice
     * @param choices the answers
     * @param answer index of the right one
     * @throws IllegalArgumentException listing what is wrong: fewer than two choices, empty ones, an answer that is none of them, a wrong choice that reads
     *     like the right one
     */
    public ChoiceItem {
        Objects.requireNonNull(context, "context");
        choices = List.copyOf(choices);
        Problems problems = new Problems();
        problems.addIf(choices.size() < 2, choices.size() + " choices; at least 2 are needed");
        problems.addIf(choices.contains(""), "choice " + choices.indexOf("") + " is empty");
        if (answer < 0 || answer >= choices.size()) {
            problems.add("answer = " + answer + " is not between 0 and " + (choices.size() - 1) + ", the last of the choices");
        } else if (choices.indexOf(choices.get(answer)) != choices.lastIndexOf(choices.get(answer))) {
            problems.add("the right choice '" + choices.get(answer) + "' is among the wrong ones too");
        }
        problems.throwInOneLine("Choice item '" + context + "': ");
    }

    /**
     * The right choice.
     *
     * @return its text
     */
    public String right() {
        return choices.get(answer);
    }

    /** Every choice after the context. */
    List<Continuation> continuations() {
        return IntStream.range(0, choices.size()).mapToObj(i -> new Continuation(context, choices.get(i))).toList();
    }
}
