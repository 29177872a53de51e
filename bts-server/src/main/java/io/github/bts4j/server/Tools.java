package io.github.bts4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.github.bts4j.core.chat.ChatRequest;
import io.github.bts4j.core.chat.ToolCallParser;
import io.github.bts4j.core.chat.ToolFormat;
import io.github.bts4j.core.constraint.CallableTool;
import io.github.bts4j.core.constraint.Constraint;
import io.github.bts4j.core.generate.StopReason;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The tools of a chat, and what the answer must be.
 *
 * @param described the tools for the chat template
 * @param format how the model writes calls; empty if none are wanted
 * @param mostCalls how many calls an answer may have; it ends before a further one
 * @param constraint what the answer must be
 */
record Tools(List<Map<String, Object>> described, Optional<ToolFormat> format, int mostCalls, Constraint constraint) {
    static final Tools NONE = new Tools(List.of(), Optional.empty(), 0, Constraint.NONE);

    private static final int MOST = 128; // tools of a request, and calls of an answer
    private static final JsonNode ANY_OBJECT = JsonNodeFactory.instance.objectNode().put("type", "object");

    /** A tool of a request. */
    private record Tool(String name, JsonNode parameters, boolean strict, Map<String, Object> described) {}

    /** What {@code tool_choice} says: whether there must be a call, and of which tool if it names one. */
    private record Choice(boolean none, boolean must, Optional<String> name) {}

    Tools with(Constraint other) {
        return new Tools(described, format, mostCalls, other);
    }

    ChatRequest describedIn(ChatRequest request) {
        return described.isEmpty() ? request : request.withTools(described);
    }

    /** A parser of an answer; empty if it is no call. */
    Optional<ToolCallParser> parser(LlamaTokenizer tokenizer) {
        return format.map(known -> new ToolCallParser(known, tokenizer, mostCalls));
    }

    /** Why an answer with so many calls ends: it was to have one, or it has more than any answer may have, as if it were too long. */
    Optional<StopReason> enough(int calls) {
        return calls <= mostCalls ? Optional.empty() : Optional.of(mostCalls == 1 ? StopReason.COMPLETE : StopReason.MAX_TOKENS);
    }

    /** Reads {@code tools}, {@code tool_choice}, {@code parallel_tool_calls} and {@code response_format}. */
    static Tools read(Fields fields, ServedModel served) {
        List<Tool> tools = tools(fields);
        Choice choice = choice(fields, tools);
        boolean several = fields.flag("parallel_tool_calls", true) && choice.name.isEmpty();
        if (tools.isEmpty() || choice.none) {
            return NONE.with(ResponseFormats.constraint(fields));
        }
        ToolFormat format = served.model().requireChatTemplate().toolFormat().orElseThrow(() -> ApiException.of(400, "unsupported_value", "tools",
                "tools are not supported by this model: its chat template has none, or writes calls in another way than Llama 3, Qwen, Hermes and Mistral"));
        JsonNode answer = ResponseFormats.read(fields);
        List<Map<String, Object>> described = tools.stream().map(Tool::described).toList();
        return new Tools(described, Optional.of(format), several ? MOST : 1, constraint(tools, choice, several, format, answer, served.model().tokenizer()));
    }

    private static Constraint constraint(List<Tool> tools, Choice choice, boolean several, ToolFormat format, JsonNode answer, LlamaTokenizer tokenizer) {
        boolean bound = choice.must || !answer.isMissingNode();
        if (!bound && tools.stream().noneMatch(Tool::strict)) {
            return Constraint.NONE;
        }
        List<CallableTool> callable = tools.stream().filter(tool -> choice.name.isEmpty() || choice.name.get().equals(tool.name))
                .map(tool -> new CallableTool(tool.name, choice.must || tool.strict ? tool.parameters : ANY_OBJECT)).toList();
        String key = format + " " + choice.must + several + tokenizer.sha256() + answer + callable;
        return ResponseFormats.kept(choice.must || answer.isMissingNode() ? "tools" : "response_format", key, () -> choice.must || answer.isMissingNode()
                ? Constraint.toolCalls(format.syntax(), tokenizer, callable, choice.must, several) : Constraint.toolCallsOr(format.syntax(), tokenizer, callable, several, answer));
    }

    private static List<Tool> tools(Fields fields) {
        JsonNode node = fields.get("tools");
        if (!node.isMissingNode() && (!node.isArray() || node.size() > MOST)) {
            throw fields.wrong("tools", node, "a list of at most " + MOST + " tools");
        }
        List<Tool> tools = new ArrayList<>();
        TreeSet<String> names = new TreeSet<>();
        for (int i = 0; i < node.size(); i++) {
            Fields tool = new Fields(node.get(i), "tools[" + i + "].");
            if (!tool.text("type").orElse("").equals("function")) {
                throw tool.wrong("type", tool.get("type"), "function, the only type that this server supports");
            }
            Fields function = new Fields(tool.get("function"), "tools[" + i + "].function.");
            tool.end();
            String name = function.text("name").orElse("");
            if (!name.matches("[A-Za-z0-9_.-]{1,64}") || !names.add(name)) {
                throw function.wrong("name", function.get("name"), "1 to 64 letters, digits, _, . and -, unlike the other tools' names");
            }
            function.text("description");
            boolean strict = function.flag("strict");
            JsonNode parameters = function.get("parameters");
            function.end();
            if (!parameters.isMissingNode() && !parameters.isObject()) {
                throw function.wrong("parameters", parameters, "a JSON schema");
            }
            JsonNode schema = parameters.isMissingNode() || parameters.isEmpty() ? ANY_OBJECT : parameters;
            tools.add(new Tool(name, schema, strict, Messages.map(node.get(i))));
        }
        return tools;
    }

    private static Choice choice(Fields fields, List<Tool> tools) {
        JsonNode node = fields.get("tool_choice");
        String text = node.isMissingNode() ? "auto" : node.asText();
        if (node.isObject()) {
            Fields choice = new Fields(node, "tool_choice.");
            Fields function = new Fields(choice.get("function"), "tool_choice.function.");
            String name = function.text("name").orElse("");
            if (!choice.text("type").orElse("").equals("function") || tools.stream().noneMatch(tool -> tool.name.equals(name))) {
                throw fields.wrong("tool_choice", node, "a function of tools");
            }
            return new Choice(false, true, Optional.of(name));
        }
        boolean known = text.equals("auto") || text.equals("none") || text.equals("required") && !tools.isEmpty();
        if (!known) {
            throw fields.wrong("tool_choice", node, tools.isEmpty() ? "auto or none, since there are no tools" : "auto, none, required or a function of tools");
        }
        return new Choice(text.equals("none"), text.equals("required"), Optional.empty());
    }
}
