package io.github.bts4j.core.tokenizer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Finds special-token text: leftmost first, of several at one place the longest, as the tokenizers library does. */
final class SpecialText {

    private static final Pattern NOTHING = Pattern.compile("(?!)");

    private final Pattern special;
    private final boolean exact;

    SpecialText(List<Vocabulary.SpecialToken> tokens) {
        special = tokens.isEmpty() ? NOTHING : Pattern.compile(tokens.stream().map(Vocabulary.SpecialToken::content)
                .sorted(Comparator.comparingInt(String::length).reversed()).map(Pattern::quote).collect(Collectors.joining("|")));
        // Tokens that are looked for in the normalized text may be found where the pattern sees nothing.
        exact = tokens.stream().noneMatch(Vocabulary.SpecialToken::normalized);
    }

    static String concatenate(List<PromptSegment> segments) {
        if (segments.size() == 1) {
            return segments.get(0).text();
        }
        return segments.stream().map(PromptSegment::text).collect(Collectors.joining());
    }

    /** Whether the plain tokenizer would find special tokens that the template has not written. */
    boolean needsDisguise(List<PromptSegment> segments) {
        if (segments.stream().allMatch(PromptSegment::template) && segments.size() <= 1) {
            return false;
        }
        if (!exact) {
            return true;
        }
        long written = segments.stream().filter(PromptSegment::template).mapToLong(segment -> count(segment.text())).sum();
        boolean contentIsPlain = segments.stream().filter(segment -> !segment.template()).allMatch(segment -> count(segment.text()) == 0);
        return !contentIsPlain || written != count(concatenate(segments));
    }

    /** The text for the tokenizer that knows special tokens by their disguises only. */
    String disguise(List<PromptSegment> segments, DisguisedSpecials disguises) {
        StringBuilder text = new StringBuilder();
        for (PromptSegment segment : segments) {
            text.append(segment.template()
                    ? special.matcher(segment.text()).replaceAll(match -> Matcher.quoteReplacement(disguises.disguise(match.group())))
                    : segment.text());
        }
        return text.toString();
    }

    /** The same as {@link #disguise} in pieces: special tokens of the template, and what is between them. */
    List<PromptSegment> pieces(List<PromptSegment> segments) {
        List<PromptSegment> pieces = new ArrayList<>();
        for (PromptSegment segment : segments) {
            int from = 0;
            Matcher matcher = special.matcher(segment.template() ? segment.text() : "");
            while (matcher.find()) {
                pieces.add(PromptSegment.content(segment.text().substring(from, matcher.start())));
                pieces.add(PromptSegment.template(matcher.group()));
                from = matcher.end();
            }
            pieces.add(PromptSegment.content(segment.text().substring(from)));
        }
        return pieces;
    }

    private long count(String text) {
        return special.matcher(text).results().count();
    }
}
