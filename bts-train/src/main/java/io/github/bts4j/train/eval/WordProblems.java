package io.github.bts4j.train.eval;

import io.github.bts4j.train.data.Document;
import io.github.bts4j.train.eval.ArithmeticStep.Operation;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/**
 * Arithmetic problems of one or two operations (+, -, x), in sentences or in symbols. All numbers, those of the answers too, are whole numbers
 * between 2 and 99.
 *
 * <p>In words there are 5 beginnings with one number and 4 with two, 5 sentences that add, 5 that subtract, and 3 questions: 162 forms of a problem with
 * one operation, and 1,620 with two, each with 16 names and 16 things.
 *
 * <p><b>Training and test never share a problem.</b> A hash of {@link WordProblem#key} decides where a problem belongs, for any seed. So a
 * problem of the test is in no training text, not even with other names and things. The same calculation in other sentences, in another language or in
 * symbols may be.
 *
 * <p>Immutable; the same seed gives the same problems on every Java version.
 */
public final class WordProblems {
    private static final int MIN = 2;
    private static final int MAX = 99;
    private static final int ATTEMPTS = 1000;

    private final ProblemLanguage language;
    private final long seed;
    private final double testShare;

    /**
     * Creates a source of problems.
     *
     * @param language the problems' language
     * @param seed seed of the draws; it does not change what belongs to the test
     * @param testShare share of all problems that belong to the test, between 0 and 1
     * @throws IllegalArgumentException if the share is not between 0 and 1
     */
    public WordProblems(ProblemLanguage language, long seed, double testShare) {
        if (!(testShare > 0 && testShare < 1)) {
            throw new IllegalArgumentException("testShare = " + testShare + " must be between 0 and 1");
        }
        this.language = language;
        this.seed = seed;
        this.testShare = testShare;
    }

    /**
     * Problems for training.
     *
     * @param count number of problems
     * @return problems that differ in more than names and things
     * @throws IllegalArgumentException if there are too few
     */
    public List<WordProblem> training(int count) {
        return draw(count, false);
    }

    /**
     * Problems for evaluation.
     *
     * @param count number of problems
     * @return problems that differ in more than names and things, none of them in any training text
     * @throws IllegalArgumentException if there are too few
     */
    public List<WordProblem> test(int count) {
        return draw(count, true);
    }

    /**
     * Training text: problems with their solutions, an empty line between them; symbols go line by line.
     *
     * @param count number of problems
     * @param perDocument problems in a document, at least 1; the last may have fewer
     * @return the documents
     * @throws IllegalArgumentException if there are too few problems, or {@code perDocument} is below 1
     */
    public List<Document> documents(int count, int perDocument) {
        if (perDocument < 1) {
            throw new IllegalArgumentException("perDocument = " + perDocument + ", must be at least 1");
        }
        List<WordProblem> problems = training(count);
        String between = language == ProblemLanguage.SYMBOLS ? "\n" : "\n\n";
        List<Document> documents = new ArrayList<>();
        for (int from = 0; from < count; from += perDocument) {
            List<String> texts = problems.subList(from, Math.min(count, from + perDocument)).stream().map(WordProblem::text).toList();
            documents.add(new Document(String.join(between, texts) + "\n", "arithmetic " + language.id() + ", seed " + seed + ", problem " + from));
        }
        return documents;
    }

    /**
     * The test as choice items, see {@link WordProblem#choiceItem}.
     *
     * @param count number of problems
     * @return a task named {@code arithmetic-<language>-choice}
     * @throws IllegalArgumentException if there are too few
     */
    public ChoiceTask choiceTask(int count) {
        return new ChoiceTask("arithmetic-" + language.id() + "-choice", test(count).stream().map(WordProblem::choiceItem).toList());
    }

    /**
     * The test as questions with free-text answers: the last number on the line counts.
     *
     * @param count number of problems
     * @param maxNewTokens maximum number of tokens per answer; a solution of two steps has about 45 characters
     * @return a task named {@code arithmetic-<language>}
     * @throws IllegalArgumentException if there are too few, or {@code maxNewTokens} is below 1
     */
    public ExactMatchTask exactMatchTask(int count, int maxNewTokens) {
        return new ExactMatchTask("arithmetic-" + language.id(), test(count).stream().map(WordProblem::exactMatchItem).toList(), new AnswerRule.LastNumber(),
                List.of("\n"), maxNewTokens);
    }

    private List<WordProblem> draw(int count, boolean test) {
        Random random = new Random(seed * 2 + (test ? 1 : 0)); // java.util.Random's numbers are specified
        List<WordProblem> problems = new ArrayList<>();
        Set<String> known = new HashSet<>();
        for (int attempt = 0; problems.size() < count; attempt++) {
            if (attempt > ATTEMPTS * (count + 1L)) {
                throw new IllegalArgumentException("count = " + count + ": only " + problems.size() + " different problems were found; ask for fewer");
            }
            Optional<WordProblem> problem = draw(random);
            if (problem.isPresent() && isTest(problem.get()) == test && known.add(problem.get().key())) {
                problems.add(problem.get());
            }
        }
        return problems;
    }

    private boolean isTest(WordProblem problem) {
        return Long.parseLong(Identity.of(problem.key()).substring(0, 8), 16) < testShare * (1L << 32);
    }

    /** One problem; empty if its numbers are too large or too small. */
    private Optional<WordProblem> draw(Random random) {
        Operation first = Operation.values()[random.nextInt(3)];
        List<ArithmeticStep> steps = new ArrayList<>();
        steps.add(new ArithmeticStep(number(random, first), first, number(random, first)));
        if (random.nextBoolean()) {
            Operation second = random.nextBoolean() ? Operation.PLUS : Operation.MINUS;
            steps.add(new ArithmeticStep(steps.get(0).result(), second, number(random, second)));
        }
        if (!steps.stream().allMatch(step -> step.result() >= MIN && step.result() <= MAX)) {
            return Optional.empty();
        }
        return Optional.of(language.frames().map(frames -> inWords(frames, steps, random)).orElseGet(() -> inSymbols(steps)));
    }

    private static int number(Random random, Operation operation) {
        return MIN + random.nextInt((operation == Operation.TIMES ? 20 : MAX) - MIN + 1);
    }

    private WordProblem inSymbols(List<ArithmeticStep> steps) {
        StringBuilder prompt = new StringBuilder().append(steps.get(0).left());
        steps.forEach(step -> prompt.append(' ').append(step.operation().sign()).append(' ').append(step.right()));
        return new WordProblem(language, "", steps, prompt.append(" =").toString());
    }

    private WordProblem inWords(ProblemFrames frames, List<ArithmeticStep> steps, Random random) {
        StringBuilder template = new StringBuilder();
        List<String> sentences = new ArrayList<>();
        boolean groups = steps.get(0).operation() == Operation.TIMES;
        sentences.add(pick(groups ? "groups" : "opening", groups ? frames.groups() : frames.openings(), random, template));
        for (ArithmeticStep step : groups ? steps.subList(1, steps.size()) : steps) {
            boolean gain = step.operation() == Operation.PLUS;
            sentences.add(pick(gain ? "gain" : "loss", gain ? frames.gains() : frames.losses(), random, template));
        }
        sentences.add(pick("question", frames.questions(), random, template));
        int name = random.nextInt(frames.names().size());
        int other = (name + 1 + random.nextInt(frames.names().size() - 1)) % frames.names().size();
        String thing = frames.things().get(random.nextInt(frames.things().size()));
        String text = ProblemFrames.fill(String.join(" ", sentences), frames.names().get(name), frames.names().get(other), thing);
        return new WordProblem(language, template.toString().strip(), steps, frames.problem().replace("%s", numbered(text, steps)));
    }

    private static String pick(String kind, List<String> frames, Random random, StringBuilder template) {
        int chosen = random.nextInt(frames.size());
        template.append(' ').append(kind).append(chosen);
        return frames.get(chosen);
    }

    /** Fills in the numbers: both of the first step, then the second ones of the others. */
    private static String numbered(String text, List<ArithmeticStep> steps) {
        String numbered = text.replaceFirst("#", Integer.toString(steps.get(0).left()));
        for (ArithmeticStep step : steps) {
            numbered = numbered.replaceFirst("#", Integer.toString(step.right()));
        }
        return numbered;
    }
}
