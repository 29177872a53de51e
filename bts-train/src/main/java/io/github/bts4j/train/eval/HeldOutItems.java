package io.github.bts4j.train.eval;

import io.github.bts4j.train.data.Document;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * Makes items from held-out documents of one domain. Documents take turns in random order, so that long ones give no more items than others unless
 * there are more items than documents. Lengths are in UTF-16 characters; texts are cut before white space, so that no token of common vocabularies
 * crosses the cut.
 *
 * <p>Immutable; the same documents and seed give the same items on every Java version.
 */
public final class HeldOutItems {
    private static final int IDLE_ROUNDS = 20;
    private static final int WRONG = 3;
    private static final Pattern LAST_WORD = Pattern.compile("(?<=\\S) (?:\\p{L}{2,}(?=[!?\u2026]|\\R)|\\p{L}{4,}(?=\\.))"); // no Mr.

    private final List<Document> documents;
    private final long seed;

    /**
     * Creates a maker of items.
     *
     * @param documents texts of one domain that no model was trained on
     * @param seed seed of the draws
     * @throws IllegalArgumentException if there is no document
     */
    public HeldOutItems(List<Document> documents, long seed) {
        if (documents.isEmpty()) {
            throw new IllegalArgumentException("There are no documents to make items from");
        }
        this.documents = List.copyOf(documents);
        this.seed = seed;
    }

    /**
     * Which of four texts follows? The wrong ones come from other documents, have the same length, and begin with the same white space.
     *
     * @param name the task's name
     * @param count items
     * @param contextLength maximum number of characters of a context, at least 1
     * @param choiceLength characters of a choice, at least 2
     * @return the task
     * @throws IllegalArgumentException if there is only one document, or there are too few items in the documents
     */
    public ChoiceTask choices(String name, int count, int contextLength, int choiceLength) {
        requireAtLeast("contextLength", contextLength, 1);
        requireAtLeast("choiceLength", choiceLength, 2);
        requireAtLeast("documents", documents.size(), 2);
        return new ChoiceTask(name, items(count, (document, random) -> choice(document, random, contextLength, choiceLength)));
    }

    /**
     * Which word ends the sentence or line? As in LAMBADA (arXiv 1606.06031), except that words are not selected by human readers. Words
     * before a full stop have four letters or more, to exclude abbreviations.
     *
     * @param name the task's name
     * @param count items
     * @param minContext minimum number of characters of a context, at least 1
     * @param maxContext maximum number, at least the minimum
     * @return the task
     * @throws IllegalArgumentException if there are too few items in the documents
     */
    public ClozeTask cloze(String name, int count, int minContext, int maxContext) {
        requireAtLeast("minContext", minContext, 1);
        requireAtLeast("maxContext", maxContext, minContext);
        return new ClozeTask(name, items(count, (document, random) -> cloze(document.text(), random, minContext, maxContext)));
    }

    /**
     * Methods whose bodies are to be written, from documents of Java source. Constructors and methods with an empty body are skipped.
     *
     * @param name the task's name
     * @param count items
     * @param maxPrompt maximum number of characters of a prompt, at least 1; lines at the beginning of longer ones are removed
     * @param maxNewTokens maximum number of tokens per body, at least 1
     * @return the task
     * @throws IllegalArgumentException if there are too few items in the documents
     * @throws IllegalStateException if the Java runtime has no compiler
     */
    public MethodTask methods(String name, int count, int maxPrompt, int maxNewTokens) {
        requireAtLeast("maxPrompt", maxPrompt, 1);
        JavaMethods methods = new JavaMethods(JavaSyntax.ofThisJdk(), maxPrompt);
        return new MethodTask(name, items(count, (document, random) -> methods.draw(document.text(), random)), maxNewTokens);
    }

    private static void requireAtLeast(String what, int value, int least) {
        if (value < least) {
            throw new IllegalArgumentException(what + " = " + value + ", must be at least " + least);
        }
    }

    private <T> List<T> items(int count, BiFunction<Document, Random, Optional<T>> maker) {
        requireAtLeast("count", count, 1);
        Random random = new Random(seed); // java.util.Random's numbers are specified
        List<Document> order = new ArrayList<>(documents);
        Collections.shuffle(order, random);
        Set<T> items = new LinkedHashSet<>();
        for (int idle = 0; idle < IDLE_ROUNDS && items.size() < count; idle++) {
            for (int i = 0; i < order.size() && items.size() < count; i++) {
                Optional<T> item = maker.apply(order.get(i), random);
                idle = item.isPresent() && items.add(item.get()) ? 0 : idle;
            }
        }
        if (items.size() < count) {
            throw new IllegalArgumentException("count = " + count + ": the " + documents.size() + " documents give only " + items.size()
                    + " items of these lengths; ask for fewer or shorter ones");
        }
        return List.copyOf(items);
    }

    @SuppressWarnings("ReferenceEquality") // the same document, not an equal one
    private Optional<ChoiceItem> choice(Document document, Random random, int contextLength, int choiceLength) {
        String text = document.text();
        Optional<Integer> cut = draw(gaps(text, 1, choiceLength), random);
        if (cut.isEmpty()) {
            return Optional.empty();
        }
        String right = text.substring(cut.get(), cut.get() + choiceLength);
        List<String> choices = new ArrayList<>();
        for (int attempt = 0; choices.size() < WRONG && attempt < 10 * WRONG; attempt++) {
            Document other = documents.get(random.nextInt(documents.size()));
            wrong(other.text(), right, random).filter(found -> other != document && !found.equals(right) && !choices.contains(found)).ifPresent(choices::add);
        }
        if (choices.size() < WRONG) {
            return Optional.empty();
        }
        int answer = random.nextInt(WRONG + 1);
        choices.add(answer, right);
        return Optional.of(new ChoiceItem(before(text, cut.get(), contextLength), choices, answer));
    }

    private static Optional<String> wrong(String text, String right, Random random) {
        List<Integer> gaps = gaps(text, 0, right.length()).stream().filter(at -> text.charAt(at) == right.charAt(0)).toList();
        return draw(gaps, random).map(at -> text.substring(at, at + right.length()));
    }

    /** Positions where white space begins, with enough text after them, at which a cut gives neither a blank text nor half a character. */
    private static List<Integer> gaps(String text, int from, int room) {
        List<Integer> gaps = new ArrayList<>();
        for (int at = Math.max(1, from); at + room <= text.length(); at++) {
            boolean begins = Character.isWhitespace(text.charAt(at)) && !Character.isWhitespace(text.charAt(at - 1));
            if (begins && !Character.isHighSurrogate(text.charAt(at + room - 1)) && !text.substring(at, at + room).isBlank()) {
                gaps.add(at);
            }
        }
        return gaps;
    }

    private static Optional<ClozeItem> cloze(String text, Random random, int minContext, int maxContext) {
        List<MatchResult> words = LAST_WORD.matcher(text).results().filter(word -> word.start() >= minContext).toList();
        return draw(words, random).map(word -> new ClozeItem(before(text, word.start(), maxContext), word.group()))
                .filter(item -> item.context().length() >= minContext);
    }

    /** The text before a position, cut at the beginning of a word if necessary. */
    private static String before(String text, int end, int most) {
        if (end <= most) {
            return text.substring(0, end);
        }
        int from = end - most;
        while (from < end && !(Character.isWhitespace(text.charAt(from - 1)) && !Character.isWhitespace(text.charAt(from)))) {
            from++;
        }
        int uncut = Character.isLowSurrogate(text.charAt(end - most)) ? end - most + 1 : end - most;
        return text.substring(from == end ? uncut : from, end);
    }

    private static <T> Optional<T> draw(List<T> values, Random random) {
        return values.isEmpty() ? Optional.empty() : Optional.of(values.get(random.nextInt(values.size())));
    }
}
