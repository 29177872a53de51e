package io.github.bts4j.core.chat;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * A conversation and the template's other arguments, like those of transformers' {@code apply_chat_template}.
 *
 * <p>Messages, tools and documents are maps of strings, numbers, booleans, lists and maps; every field is passed to the template. A null field counts as
 * missing. The model's reasoning under {@code reasoning_content}, {@code thinking} or {@code reasoning} is also passed under the first two of these names.
 *
 * <p>Immutable; each {@code with} returns a copy.
 */
public final class ChatRequest {
    private static final Set<String> RESERVED = Set.of("messages", "tools", "documents", "add_generation_prompt");

    private final List<Map<String, Object>> messages;
    private final Map<String, Object> arguments;
    private final String continuedField;
    private final Clock clock;

    private ChatRequest(List<Map<String, Object>> messages, Map<String, Object> arguments, String continuedField, Clock clock) {
        this.messages = messages;
        this.arguments = arguments;
        this.continuedField = continuedField;
        this.clock = clock;
    }

    /**
     * A request with messages only.
     *
     * @param messages the conversation, at least one message
     * @return the request
     * @throws IllegalArgumentException if there is no message
     */
    @SuppressWarnings("JavaTimeDefaultTimeZone") // dates are the user's
    public static ChatRequest of(List<? extends Map<String, ?>> messages) {
        throwIf(messages.isEmpty(), () -> new IllegalArgumentException("A conversation needs at least one message"));
        List<Map<String, Object>> copies = new ArrayList<>();
        messages.forEach(message -> copies.add(withoutNulls(message)));
        Map<String, Object> arguments = new LinkedHashMap<>();
        arguments.put("tools", null);
        arguments.put("documents", null);
        arguments.put("add_generation_prompt", false);
        return new ChatRequest(copies, arguments, "", Clock.systemDefaultZone());
    }

    /**
     * A request with messages of role and content.
     *
     * @param messages the conversation, at least one message
     * @return the request
     * @throws IllegalArgumentException if there is no message
     */
    public static ChatRequest ofMessages(List<ChatMessage> messages) {
        return of(messages.stream().map(ChatMessage::toMap).toList());
    }

    private static Map<String, Object> withoutNulls(Map<String, ?> message) {
        Map<String, Object> copy = new LinkedHashMap<>();
        message.forEach((key, value) -> {
            if (value != null) {
                copy.put(key, value);
            }
        });
        return copy;
    }

    private ChatRequest set(String name, Object value) {
        Map<String, Object> more = new LinkedHashMap<>(arguments);
        more.put(name, value);
        return new ChatRequest(messages, more, continuedField, clock);
    }

    /**
     * With tools that the model may call.
     *
     * @param tools their JSON schemas, in the form of OpenAI's API
     * @return the request
     */
    public ChatRequest withTools(List<? extends Map<String, ?>> tools) {
        return set("tools", List.copyOf(tools));
    }

    /**
     * With documents for the model to read.
     *
     * @param documents maps with {@code title} and {@code text}
     * @return the request
     */
    public ChatRequest withDocuments(List<? extends Map<String, ?>> documents) {
        return set("documents", List.copyOf(documents));
    }

    /**
     * With or without the generation prompt, the beginning of the assistant's reply after the conversation.
     *
     * @param add whether to add it, if the template has one
     * @return the request
     */
    public ChatRequest withGenerationPrompt(boolean add) {
        return set("add_generation_prompt", add);
    }

    /** {@return the request with the generation prompt, unless the final message is to be continued} */
    public ChatRequest forAnswer() {
        return continuedField.isEmpty() ? withGenerationPrompt(true) : this;
    }

    /**
     * With another argument of the template, such as {@code enable_thinking}. It can also replace a special token's text, such as {@code bos_token}.
     *
     * @param name its name
     * @param value its value: null, a boolean, a number, a text, a list or a map
     * @return the request
     * @throws IllegalArgumentException if another part of the request has this name
     */
    public ChatRequest with(String name, Object value) {
        throwIf(RESERVED.contains(name),
                () -> new IllegalArgumentException("'" + name + "' is not such an argument: use of, withTools, withDocuments or withGenerationPrompt"));
        return set(Objects.requireNonNull(name, "name"), value);
    }

    /** {@return the request with a prompt that ends with the last message's content, for the model to continue it} */
    public ChatRequest continuingFinalMessage() {
        return continuing("content");
    }

    /**
     * Continues a field of the last message: the prompt ends with the field.
     *
     * @param field the field, such as {@code reasoning_content}
     * @return the request
     */
    public ChatRequest continuing(String field) {
        return new ChatRequest(messages, arguments, Objects.requireNonNull(field, "field"), clock);
    }

    /**
     * With another clock for {@code strftime_now}.
     *
     * @param now the clock, with its time zone
     * @return the request
     */
    public ChatRequest at(Clock now) {
        return new ChatRequest(messages, arguments, continuedField, Objects.requireNonNull(now, "now"));
    }

    /** Whether tools were set, possibly an empty list. */
    boolean hasTools() {
        return arguments.get("tools") != null;
    }

    List<Map<String, Object>> messages() {
        return messages;
    }

    /** The same with the first messages only, and with the beginning of an answer behind them or without. */
    ChatRequest first(int count, boolean addGenerationPrompt) {
        return new ChatRequest(messages.subList(0, count), arguments, "", clock).withGenerationPrompt(addGenerationPrompt);
    }

    Map<String, Object> arguments() {
        return arguments;
    }

    /** The field that is continued, empty if none is. */
    String continuedField() {
        return continuedField;
    }

    Clock clock() {
        return clock;
    }

    /** A copy with all strings changed. */
    ChatRequest mapped(TextChange change) {
        List<Map<String, Object>> changed = new ArrayList<>();
        messages.forEach(message -> changed.add(change.map(message)));
        return new ChatRequest(changed, change.map(arguments), continuedField, clock);
    }

    /** A function on strings, also inside lists and maps. */
    interface TextChange {
        int MAX_DEPTH = 100;

        String apply(String text);

        default Map<String, Object> map(Map<String, ?> map) {
            Map<String, Object> changed = new LinkedHashMap<>();
            map.forEach((key, value) -> changed.put(key, value(value, 1)));
            return changed;
        }

        private Object value(Object value, int depth) {
            throwIf(depth > MAX_DEPTH,
                    () -> new IllegalArgumentException("A value for the chat template is nested deeper than " + MAX_DEPTH + " levels: does it contain itself?"));
            if (value instanceof CharSequence text) {
                return apply(text.toString());
            }
            if (value instanceof Map<?, ?> map) {
                Map<Object, Object> changed = new LinkedHashMap<>();
                map.forEach((key, item) -> changed.put(key, value(item, depth + 1)));
                return changed;
            }
            if (value instanceof Iterable<?> items) {
                List<Object> changed = new ArrayList<>();
                items.forEach(item -> changed.add(value(item, depth + 1)));
                return changed;
            }
            return value;
        }
    }
}
