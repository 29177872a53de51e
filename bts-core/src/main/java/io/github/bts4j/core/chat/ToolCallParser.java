package io.github.bts4j.core.chat;

import io.github.bts4j.core.generate.GeneratedToken;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds the calls of tools in an answer while it is generated. Text is held back as long as it may be a call's. What begins like a call and is none stays text. Not thread-safe:
 * one parser for one answer.
 */
public final class ToolCallParser {
    private static final String PYTHON_TAG = "<|python_tag|>";
    private static final String ARGUMENTS = "[ARGS]";

    private final ToolFormat format;
    private final LlamaTokenizer tokenizer;
    private final int mostCalls;
    private final StringBuilder held = new StringBuilder();
    private final StringBuilder directName = new StringBuilder(); // Mistral's form without a list
    private List<ToolCallEvent> events = new ArrayList<>();
    private CallScanner scanner;
    private Part part = Part.TEXT;
    private boolean begun; // whether there was text that is none of a call's
    private int calls;
    private boolean announced;
    private boolean direct; // whether the call is in Mistral's newer form
    private boolean marked; // whether a call has begun since the last marker

    /** What is read. */
    private enum Part { TEXT, CALL, BETWEEN, DIRECT }

    /**
     * Begins an answer.
     *
     * @param format how the model writes calls
     * @param tokenizer the model's tokenizer
     * @param mostCalls how many calls are wanted; later ones are dropped
     */
    public ToolCallParser(ToolFormat format, LlamaTokenizer tokenizer, int mostCalls) {
        this.format = format;
        this.tokenizer = tokenizer;
        this.mostCalls = mostCalls;
    }

    /**
     * Takes a token.
     *
     * @param token the token, with its text; special tokens have none there, but may begin calls
     * @return what it brought
     */
    public List<ToolCallEvent> push(GeneratedToken token) {
        if (token.id() < tokenizer.vocabSize() && tokenizer.isSpecial(token.id())) {
            String spelling = tokenizer.token(token.id());
            if (spelling.equals(format.marker()) || spelling.equals("</tool_call>") || spelling.equals(PYTHON_TAG) || spelling.equals(ARGUMENTS)) {
                push(spelling);
            }
        }
        push(token.text());
        return taken();
    }

    /**
     * Ends the answer.
     *
     * @return what was held back
     */
    public List<ToolCallEvent> end() {
        if (part == Part.CALL && !announced) {
            content(format.marker() + scanner.whole());
        } else if (part == Part.TEXT) {
            content(held.toString());
        } else if (part == Part.BETWEEN) {
            endBetween();
        } else if (part == Part.DIRECT) {
            content(format.marker() + directName);
        }
        held.setLength(0);
        return taken();
    }

    /**
     * How many calls there were.
     *
     * @return the number, with one that has begun
     */
    public int calls() {
        return calls;
    }

    private List<ToolCallEvent> taken() {
        List<ToolCallEvent> brought = events;
        events = new ArrayList<>();
        return brought;
    }

    private void push(String text) {
        for (int i = 0; i < text.length(); i++) {
            char next = text.charAt(i);
            switch (part) {
                case TEXT -> text(next);
                case CALL -> call(next);
                case BETWEEN -> between(next);
                case DIRECT -> direct(next);
                default -> throw new IllegalStateException(part.name());
            }
        }
    }

    private void content(String text) {
        if (!text.isEmpty() && !(calls > 0 && text.isBlank())) {
            begun |= !text.isBlank();
            if (!events.isEmpty() && events.get(events.size() - 1) instanceof ToolCallEvent.Content before) {
                events.set(events.size() - 1, new ToolCallEvent.Content(before.text() + text));
            } else {
                events.add(new ToolCallEvent.Content(text));
            }
        }
    }

    private void text(char next) {
        if (format == ToolFormat.LLAMA3) {
            llamaText(next);
            return;
        }
        held.append(next);
        String marker = format.marker();
        while (!held.isEmpty() && !marker.startsWith(held.toString())) {
            content(held.substring(0, 1));
            held.deleteCharAt(0);
        }
        if (held.length() == marker.length()) {
            held.setLength(0);
            part = Part.BETWEEN;
            marked = false;
        }
    }

    /** A call is an object at the beginning of the text, or of what follows another call. */
    private void llamaText(char next) {
        if (begun) {
            content(String.valueOf(next));
        } else if (next == '{') {
            held.setLength(0);
            begin(next);
        } else {
            held.append(next);
            if (held.toString().strip().equals(PYTHON_TAG)) {
                held.setLength(0);
            } else if (!PYTHON_TAG.startsWith(held.toString().strip()) && !(calls > 0 && held.toString().strip().equals(";"))) {
                content(held.toString());
                held.setLength(0);
            }
        }
    }

    private void begin(char brace) {
        scanner = new CallScanner();
        announced = false;
        marked = true;
        part = Part.CALL;
        scanner.push(brace);
    }

    private void call(char next) {
        boolean ended = scanner.push(next) || direct && next == '}' && scanner.isAtTop() && scanner.push('}');
        if (!announced && scanner.name().isPresent()) {
            announce(scanner.name().get());
        }
        if (announced) {
            arguments(scanner.takeArguments());
        }
        if (ended) {
            if (!announced && !scanner.nameAtEnd().isEmpty() && format != ToolFormat.LLAMA3) { // a call without arguments
                announce(scanner.nameAtEnd());
                arguments("{}");
            } else if (!announced) {
                content((format == ToolFormat.LLAMA3 ? "" : format.marker()) + scanner.whole());
            }
            part = format == ToolFormat.LLAMA3 ? Part.TEXT : Part.BETWEEN;
        }
    }

    private void announce(String name) {
        announced = true;
        if (calls < mostCalls) {
            events.add(new ToolCallEvent.Call(calls, name));
        }
        calls++;
    }

    private void arguments(String text) {
        if (!text.isEmpty() && calls <= mostCalls) {
            events.add(new ToolCallEvent.Arguments(calls - 1, text));
        }
    }

    /** Between the marker and a call, between calls, and behind them. */
    private void between(char next) {
        held.append(next);
        String text = held.toString().strip();
        if (next == '{' && !text.startsWith("</")) {
            held.setLength(0);
            direct = false;
            begin(next);
        } else if (text.endsWith(format.marker())) {
            held.setLength(0);
        } else if (text.endsWith("</tool_call>") || text.endsWith("]") && format == ToolFormat.MISTRAL) {
            part = Part.TEXT;
            endBetween();
        } else if (format == ToolFormat.MISTRAL && text.length() == 1 && (Character.isLetterOrDigit(next) || next == '_')) {
            held.setLength(0);
            directName.setLength(0);
            directName.append(next);
            part = Part.DIRECT;
        }
    }

    /** What follows the marker and is no call stays text. */
    private void endBetween() {
        if (!marked) {
            content(format.marker() + held);
        }
        held.setLength(0);
    }

    /** Mistral's newer form: a name, {@code [ARGS]} and the arguments. */
    private void direct(char next) {
        if (next != '{') {
            directName.append(next);
            return;
        }
        String name = directName.toString().replace(ARGUMENTS, "").strip();
        direct = true;
        begin('{');
        for (char c : ("\"name\": \"" + name.replaceAll("[\"\\\\{}]", "") + "\", \"arguments\": {").toCharArray()) {
            call(c);
        }
    }
}
