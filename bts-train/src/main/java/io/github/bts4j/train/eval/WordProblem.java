package io.github.bts4j.train.eval;

import io.github.bts4j.train.eval.ArithmeticStep.Operation;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * An arithmetic problem with its solution.
 *
 * @param language its language
 * @param template its sentences and operations
 * @param steps one or two operations; the second begins with the first one's result
 * @param prompt the problem up to where the answer begins, without the space before it
 */
public record WordProblem(ProblemLanguage language, String template, List<ArithmeticStep> steps, String prompt) {
    /** Number of choices of an item. */
    private static final int CHOICES = 4;

    /**
     * Copies the steps.
     *
     * @param language its language
     * @param template its sentences
     * @param steps one or two operations
     * @param prompt the problem
     * @throws IllegalArgumentException if there is no step, or one does not begin with the result of the step before
     */
    public WordProblem {
        steps = List.copyOf(steps);
        if (steps.isEmpty()) {
            throw new IllegalArgumentException("A problem needs a step: " + prompt);
        }
        for (int i = 1; i < steps.size(); i++) {
            if (steps.get(i).left() != steps.get(i - 1).result()) {
                throw new IllegalArgumentException("step " + i + " begins with " + steps.get(i).left() + ", the step before gives " + steps.get(i - 1).result());
            }
        }
    }

    /** {@return the correct answer, which is the last step's result} */
    public int answer() {
        return last().result();
    }

    /**
     * {@return the key that separates training from test: a text of language, sentences, operations and numbers, equal for problems
     * that differ only in names and things}
     */
    public String key() {
        String numbers = steps.stream().map(step -> step.left() + step.operation().sign() + step.right()).collect(Collectors.joining(" "));
        return language.id() + " " + template + " " + numbers;
    }

    /**
     * {@return the solution as in training text, every step and then the answer: the text that follows the prompt, with the space
     * before it}
     */
    public String worked() {
        return worked(steps, answer());
    }

    /** {@return problem and solution in one paragraph} */
    public String text() {
        return prompt + worked();
    }

    /**
     * The problem as a question with four worked solutions. The wrong ones use another operation, omit a step, or are wrong by ten, by one
     * or in the order of digits.
     *
     * @return the item, a function of the problem
     */
    public ChoiceItem choiceItem() {
        Random random = new Random(key().hashCode());
        List<String> wrong = new ArrayList<>(wrong());
        Collections.shuffle(wrong, random);
        List<String> choices = new ArrayList<>(wrong.subList(0, CHOICES - 1));
        int answer = random.nextInt(CHOICES);
        choices.add(answer, worked());
        return new ChoiceItem(prompt, choices, answer);
    }

    /**
     * The problem as a question with a free-text answer.
     *
     * @return the item; its answer is the number
     */
    public ExactMatchItem exactMatchItem() {
        return new ExactMatchItem(prompt, Integer.toString(answer()));
    }

    /** Plausible wrong solutions, at least four. */
    private Set<String> wrong() {
        Set<String> wrong = new LinkedHashSet<>();
        for (Operation other : Operation.values()) {
            ArithmeticStep step = new ArithmeticStep(last().left(), other, last().right());
            if (step.result() != answer() && step.result() >= 0 && step.result() < 200) {
                wrong.add(worked(withLast(step), step.result()));
            }
        }
        if (steps.size() > 1 && steps.get(0).result() != answer()) {
            wrong.add(worked(steps.subList(0, 1), steps.get(0).result()));
        }
        for (int result : new int[] {answer() + 10, answer() - 10, answer() + 1, answer() - 1, answer() % 10 * 10 + answer() / 10}) {
            if (result != answer() && result > 0 && result < 200) {
                wrong.add(worked(steps, result));
            }
        }
        return wrong;
    }

    private ArithmeticStep last() {
        return steps.get(steps.size() - 1);
    }

    private List<ArithmeticStep> withLast(ArithmeticStep step) {
        List<ArithmeticStep> changed = new ArrayList<>(steps);
        changed.set(changed.size() - 1, step);
        return changed;
    }

    /** A solution whose last result may be wrong. */
    private String worked(List<ArithmeticStep> some, int result) {
        return language.frames().map(frames -> inWords(frames, some, result)).orElseGet(() -> inSymbols(some, result));
    }

    private static String inWords(ProblemFrames frames, List<ArithmeticStep> some, int result) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < some.size(); i++) {
            boolean end = i == some.size() - 1;
            text.append(' ').append(some.get(i).text(end ? result : some.get(i).result())).append('.');
        }
        return text.append(' ').append(frames.answer().replace("%d", Integer.toString(result))).toString();
    }

    /** The text after the first equals sign. */
    private static String inSymbols(List<ArithmeticStep> some, int result) {
        return some.size() == 1 ? " " + result : " " + some.get(1).text(result);
    }
}
