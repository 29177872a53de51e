package io.github.bts4j.core.chat;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.MismatchException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * What the assistant says in a whole conversation: what the template marks, or else, by prefix, what each of its messages adds to the prompt before it. A template
 * that renders the beginning of a conversation in another way than the same messages with others behind them says nothing by prefix.
 */
record AssistantSpans(ChatRequest request, Function<ChatRequest, String> rendering) {
    private static final String MARKS = ": take a chat template with {% generation %} marks";

    /**
     * What the template marks, from a message on.
     *
     * @param text the whole conversation
     * @param marked what is marked in it
     * @param from number of the first message that is not the prompt's, from 0
     */
    List<RenderedChat.Span> ofMarks(String text, List<RenderedChat.Span> marked, int from) {
        if (from == 0) {
            return marked;
        }
        int begin = common(rendering.apply(request.first(from, true)), text);
        return marked.stream().filter(span -> span.end() > begin).map(span -> new RenderedChat.Span(Math.max(begin, span.begin()), span.end())).toList();
    }

    /**
     * What each message of the assistant adds, from a message on.
     *
     * @param text the whole conversation
     * @param from number of the first message that is not the prompt's, from 0
     * @throws MismatchException if the template renders beginnings of the conversation in another way
     */
    List<RenderedChat.Span> byPrefix(String text, int from) {
        List<RenderedChat.Span> spans = new ArrayList<>();
        int count = request.messages().size();
        for (int i = from; i < count; i++) {
            if ("assistant".equals(request.messages().get(i).get("role"))) {
                throwIf(i == 0,
                        () -> new MismatchException("The conversation begins with the assistant, which nothing asks, and its chat template does not mark what the assistant says" + MARKS));
                int begin = prefix(request.first(i, true), text, i, "asks for message " + (i + 1));
                int end = i + 1 == count ? text.length() : prefix(request.first(i + 1, false), text, i, "ends with message " + (i + 1));
                if (end > begin) {
                    spans.add(new RenderedChat.Span(begin, end));
                }
            }
        }
        return spans;
    }

    private int prefix(ChatRequest beginning, String text, int message, String what) {
        String prompt = rendering.apply(beginning);
        throwIf(!text.startsWith(prompt),
                () -> new MismatchException("The chat template does not mark what the assistant says, and it renders the prompt that " + what + " of " + request.messages().size()
                        + " in another way than the whole conversation, from character " + common(prompt, text) + " on, so that the part of message " + (message + 1) + " is not known" + MARKS));
        return prompt.length();
    }

    private static int common(String prompt, String text) {
        int at = 0;
        while (at < prompt.length() && at < text.length() && prompt.charAt(at) == text.charAt(at)) {
            at++;
        }
        return at;
    }
}
