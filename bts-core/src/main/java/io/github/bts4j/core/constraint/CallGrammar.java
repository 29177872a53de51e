package io.github.bts4j.core.constraint;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.util.ArrayList;
import java.util.List;

/** The grammar of texts with calls of tools. */
final class CallGrammar {
    private final CallSyntax syntax;
    private final LlamaTokenizer tokenizer;

    CallGrammar(CallSyntax syntax, LlamaTokenizer tokenizer) {
        this.syntax = syntax;
        this.tokenizer = tokenizer;
    }

    /**
     * The rule of a text.
     *
     * @param must whether it must hold a call; otherwise it is any text, with calls at its end
     * @param several whether it may hold more than one call
     */
    Node rule(List<CallableTool> tools, boolean must, boolean several) {
        Alternatives call = made(new Alternatives());
        for (CallableTool tool : tools) {
            String name = JsonNodeFactory.instance.textNode(tool.name()).toString();
            Node arguments;
            try {
                arguments = SchemaCompiler.compile(tool.parameters());
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("tool " + tool.name() + ": " + e.getMessage(), e);
            }
            call.add(sequence(List.of(text(syntax.open() + name.substring(1, name.length() - 1) + syntax.arguments()), arguments, text(syntax.close()))));
        }
        List<Node> calls = new ArrayList<>();
        if (!syntax.begin().isEmpty()) {
            calls.add(text(syntax.begin()));
        }
        calls.add(call);
        if (several && !syntax.separator().isEmpty()) {
            calls.add(repeated(sequence(List.of(text(syntax.separator()), call))));
        }
        if (!syntax.end().isEmpty()) {
            calls.add(text(syntax.end()));
        }
        Node all = sequence(calls);
        if (must) {
            return all;
        }
        Alternatives whole = made(new Alternatives());
        String marker = syntax.begin().strip();
        whole.add(marker.isEmpty() ? all : sequence(List.of(new FreeText(marker), all)));
        whole.add(new FreeText(marker));
        return whole;
    }

    private static <T extends Composite> T made(T rule) {
        rule.productive();
        return rule;
    }

    private static Node sequence(List<Node> parts) {
        return made(new Sequence(parts.toArray(Node[]::new)));
    }

    /** A rule any number of times. */
    private static Node repeated(Node rule) {
        Alternatives again = made(new Alternatives());
        again.add(made(new Sequence(rule, again)));
        again.add(Literals.of(""));
        return again;
    }

    /** A text, whose special tokens are tokens. */
    private Node text(String text) {
        List<Node> parts = new ArrayList<>();
        int from = 0;
        for (int at = 0; at < text.length(); at++) {
            int token = specialAt(text, at);
            if (token >= 0) {
                if (at > from) {
                    parts.add(Literals.of(text.substring(from, at)));
                }
                parts.add(new SpecialToken(token));
                at += tokenizer.token(token).length() - 1;
                from = at + 1;
            }
        }
        if (from < text.length()) {
            parts.add(Literals.of(text.substring(from)));
        }
        return parts.size() == 1 ? parts.get(0) : sequence(parts);
    }

    private int specialAt(String text, int at) {
        for (int id : tokenizer.specialTokenIds()) {
            if (text.startsWith(tokenizer.token(id), at)) {
                return id;
            }
        }
        return -1;
    }
}
