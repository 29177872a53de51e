package io.github.bts4j.core.chat;

import io.github.bts4j.core.constraint.CallSyntax;
import java.util.Optional;

/** The ways in which models write calls of tools. */
public enum ToolFormat {
    /** Qwen 2.5 and 3, Hermes: {@code <tool_call>\n{"name": .., "arguments": ..}\n</tool_call>}. */
    HERMES("<tool_call>", new CallSyntax("<tool_call>\n", "{\"name\": \"", "\", \"arguments\": ", "}\n</tool_call>", "\n<tool_call>\n", "")),
    /** Mistral: {@code [TOOL_CALLS][{"name": .., "arguments": ..}]}; {@code [TOOL_CALLS]name[ARGS]{..}} is read too. */
    MISTRAL("[TOOL_CALLS]", new CallSyntax("[TOOL_CALLS][", "{\"name\": \"", "\", \"arguments\": ", "}", ", ", "]")),
    /** Llama 3.x: {@code {"name": .., "parameters": ..}}, possibly after {@code <|python_tag|>}. */
    LLAMA3("", new CallSyntax("", "{\"name\": \"", "\", \"parameters\": ", "}", "", ""));

    private final String marker;
    private final CallSyntax syntax;

    ToolFormat(String marker, CallSyntax syntax) {
        this.marker = marker;
        this.syntax = syntax;
    }

    /** What begins a call; empty if a text that begins with a call is one. */
    String marker() {
        return marker;
    }

    /**
     * The format's parts, for constraints.
     *
     * @return the syntax
     */
    public CallSyntax syntax() {
        return syntax;
    }

    /** The format that a chat template describes; empty if it has no tools, or writes calls in another way. */
    static Optional<ToolFormat> of(String template) {
        if (!template.contains("tools")) {
            return Optional.empty();
        } else if (template.contains("[TOOL_CALLS]")) {
            return Optional.of(MISTRAL);
        } else if (template.contains("<tool_call>")) {
            return template.contains("<function=") || template.contains("<arg_key>") ? Optional.empty() : Optional.of(HERMES);
        }
        return template.contains("<|start_header_id|>") && template.contains("\"parameters\": ") ? Optional.of(LLAMA3) : Optional.empty();
    }
}
