package io.github.bts4j.core.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Finds special-token text: leftmost first, of several at one place the longest, as the tokenizers library does. */
final class SpecialText {

    private final Map<Character, String[]> byFirst = new HashMap<>(); // longest first
    private final boolean exact;

    SpecialText(List<Vocabulary.SpecialToken> tokens) {
        tokens.stream().map(Vocabulary.SpecialToken::content).distinct().collect(Collectors.groupingBy(content -> content.charAt(0)))
                .forEach((first, contents) -> {
                    String[] longestFirst = contents.toArray(String[]::new);
                    Arrays.sort(longestFirst, Comparator.comparingInt(String::length).reversed());
                    byFirst.put(first, longestFirst);
                });
        // Tokens that are looked for in the normalized text may be found where this class sees nothing.
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

    /** The text for the tokenizer in which special tokens have secret names. */
    String disguise(List<PromptSegment> segments, DisguisedSpecials disguises) {
        StringBuilder text = new StringBuilder();
        for (PromptSegment segment : segments) {
            if (segment.template()) {
                disguise(segment.text(), disguises, text);
            } else {
                text.append(segment.text());
            }
        }
        return text.toString();
    }

    /** Like {@link #disguise}, in pieces: special tokens of the template, and the text between them. */
    List<PromptSegment> pieces(List<PromptSegment> segments) {
        List<PromptSegment> pieces = new ArrayList<>();
        for (PromptSegment segment : segments) {
            String text = segment.text();
            int from = 0;
            int at = segment.template() ? 0 : text.length();
            while (at < text.length()) {
                String special = specialAt(text, at);
                if (special == null) {
                    at++;
                    continue;
                }
                pieces.add(PromptSegment.content(text.substring(from, at)));
                pieces.add(PromptSegment.template(special));
                at += special.length();
                from = at;
            }
            pieces.add(PromptSegment.content(text.substring(from)));
        }
        return pieces;
    }

    private void disguise(String text, DisguisedSpecials disguises, StringBuilder into) {
        int at = 0;
        while (at < text.length()) {
            String special = specialAt(text, at);
            if (special == null) {
                into.append(text.charAt(at++));
            } else {
                into.append(disguises.disguise(special));
                at += special.length();
            }
        }
    }

    private long count(String text) {
        long count = 0;
        int at = 0;
        while (at < text.length()) {
            String special = specialAt(text, at);
            count += special == null ? 0 : 1;
            at += special == null ? 1 : special.length();
        }
        return count;
    }

    private String specialAt(String text, int at) {
        for (String special : byFirst.getOrDefault(text.charAt(at), new String[0])) {
            if (text.startsWith(special, at)) {
                return special;
            }
        }
        return null;
    }
}
