package io.github.bts4j.core.chat;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.tokenizer.PromptSegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Distinguishes special-token text of messages from the template's: in a second rendering, each is enclosed in two private-use characters, as in
 * transformers' {@code sanitize_control_tokens}.
 */
final class Markers {
    private static final String OPEN = "\uDB80\uDC00";
    private static final String CLOSE = "\uDB80\uDC01";
    private static final Pattern LONE = Pattern.compile(OPEN + "|" + CLOSE);

    private final Pattern special;
    private final Pattern markedOrNot;
    private boolean found;

    Markers(LlamaTokenizer tokenizer) {
        String tokens = Arrays.stream(tokenizer.specialTokenIds()).mapToObj(tokenizer::token).filter(token -> !token.isEmpty())
                .sorted(Comparator.comparingInt(String::length).reversed()).map(Pattern::quote).collect(Collectors.joining("|"));
        String any = tokens.isEmpty() ? "(?!)" : tokens;
        special = Pattern.compile(any);
        markedOrNot = Pattern.compile(OPEN + "(" + any + ")" + CLOSE + "|(" + any + ")");
    }

    String mark(String text) {
        String clean = LONE.matcher(text).replaceAll("");
        Matcher matcher = special.matcher(clean);
        if (!matcher.find()) {
            return clean;
        }
        found = true;
        return matcher.replaceAll(match -> Matcher.quoteReplacement(OPEN + match.group() + CLOSE));
    }

    /** Whether something was marked. */
    boolean found() {
        return found;
    }

    /**
     * The segments of a text, by the same text with markers. If the markers have changed more than themselves (a template may compare, cut or count a
     * text), the marked text is the prompt: it is the safe one.
     */
    List<PromptSegment> segments(String text, String marked) {
        List<PromptSegment> segments = split(marked);
        String joined = segments.stream().map(PromptSegment::text).collect(Collectors.joining());
        if (joined.equals(LONE.matcher(text).replaceAll(""))) {
            return segments;
        }
        return transferred(text, segments);
    }

    private List<PromptSegment> split(String marked) {
        List<PromptSegment> segments = new ArrayList<>();
        Matcher matcher = markedOrNot.matcher(marked);
        int from = 0;
        while (matcher.find()) {
            if (matcher.group(1) != null) {
                plain(marked.substring(from, matcher.start()), segments);
                segments.add(PromptSegment.content(matcher.group(1)));
                from = matcher.end();
            }
        }
        plain(marked.substring(from), segments);
        return segments;
    }

    /** Text between marked tokens. A lone marker is what a template has left of a marked token: the text must not join over it. */
    private static void plain(String text, List<PromptSegment> segments) {
        String[] parts = LONE.split(text, -1);
        for (int i = 0; i < parts.length; i++) {
            if (i > 0) {
                segments.add(PromptSegment.content(""));
            }
            segments.add(PromptSegment.template(parts[i]));
        }
    }

    /** The special tokens of the text in order, with what the marked text says of each; the marked segments themselves if these are others. */
    private List<PromptSegment> transferred(String text, List<PromptSegment> segments) {
        List<String> tokens = new ArrayList<>();
        List<Boolean> written = new ArrayList<>();
        for (PromptSegment segment : segments) {
            special.matcher(segment.text()).results().forEach(match -> {
                tokens.add(match.group());
                written.add(segment.template());
            });
        }
        List<PromptSegment> transferred = new ArrayList<>();
        Matcher matcher = special.matcher(text);
        int from = 0;
        int index = 0;
        while (matcher.find()) {
            if (index == tokens.size() || !tokens.get(index).equals(matcher.group())) {
                return segments;
            }
            transferred.add(PromptSegment.template(text.substring(from, matcher.start())));
            transferred.add(new PromptSegment(matcher.group(), written.get(index++)));
            from = matcher.end();
        }
        transferred.add(PromptSegment.template(text.substring(from)));
        return index == tokens.size() ? transferred : segments;
    }
}
