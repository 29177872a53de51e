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
import java.util.stream.Stream;

/** Hides special-token text of messages from the template's output: a number between two private-use characters stands for it. */
final class Markers {
    private static final String OPEN = "\uE000";
    private static final String CLOSE = "\uE001";
    private static final Pattern MARKER = Pattern.compile(OPEN + "(\\d+)" + CLOSE);

    private final Pattern special;
    private final List<String> hidden = new ArrayList<>();

    Markers(LlamaTokenizer tokenizer) {
        Stream<String> tokens = Arrays.stream(tokenizer.specialTokenIds()).mapToObj(tokenizer::token);
        special = Pattern.compile(Stream.concat(tokens, Stream.of(OPEN, CLOSE)).sorted(Comparator.comparingInt(String::length).reversed())
                .map(Pattern::quote).collect(Collectors.joining("|")));
    }

    String mark(String content) {
        return special.matcher(content).replaceAll(match -> {
            hidden.add(match.group());
            return OPEN + (hidden.size() - 1) + CLOSE;
        });
    }

    List<PromptSegment> segments(String text) {
        List<PromptSegment> segments = new ArrayList<>();
        Matcher matcher = MARKER.matcher(text);
        int from = 0;
        while (matcher.find()) {
            segments.add(PromptSegment.template(text.substring(from, matcher.start())));
            segments.add(PromptSegment.content(hidden.get(Integer.parseInt(matcher.group(1)))));
            from = matcher.end();
        }
        segments.add(PromptSegment.template(text.substring(from)));
        return segments;
    }
}
