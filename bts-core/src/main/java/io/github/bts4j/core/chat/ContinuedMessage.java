package io.github.bts4j.core.chat;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** transformers' {@code continue_final_message}: a tag after the field of the last message, at which the rendered text is cut off. */
final class ContinuedMessage {
    private static final List<String> REASONING = List.of("reasoning_content", "thinking", "reasoning");
    private static final String TAG = "CONTINUE_FINAL_MESSAGE_TAG ";

    private final List<Map<String, Object>> messages;
    private final String original;

    private ContinuedMessage(List<Map<String, Object>> messages, String original) {
        this.messages = messages;
        this.original = original;
    }

    /** The messages of a request for templates: reasoning has all names, and the continued field has a tag. */
    static ContinuedMessage of(ChatRequest request, String template) {
        List<Map<String, Object>> messages = new ArrayList<>();
        request.messages().forEach(message -> messages.add(withReasoning(message)));
        String field = request.continuedField();
        if (field.isEmpty()) {
            return new ContinuedMessage(messages, null);
        }
        throwIf(Boolean.TRUE.equals(request.arguments().get("add_generation_prompt")),
                () -> new IllegalArgumentException("A request that continues the final message cannot have a generation prompt: omit one of them"));
        Map<String, Object> last = messages.get(messages.size() - 1);
        Object value = last.get(field);
        throwIf(value == null, () -> new IllegalArgumentException("The final message has no '" + field + "' to continue"));
        List<String> fields = REASONING.contains(field) ? REASONING.stream().filter(name -> value.equals(last.get(name))).toList() : List.of(field);
        throwIf(fields.stream().noneMatch(template::contains),
                () -> new IllegalArgumentException("The final message's '" + field + "' cannot be continued: the chat template does not read it"));
        return new ContinuedMessage(messages, value instanceof Iterable<?> blocks ? tagged(last, field, blocks) : tagged(last, fields, value));
    }

    private static Map<String, Object> withReasoning(Map<String, Object> message) {
        Object reasoning = REASONING.stream().map(message::get).filter(value -> value != null).findFirst().orElse(null);
        Map<String, Object> copy = new LinkedHashMap<>();
        if (reasoning != null) {
            copy.put("thinking", reasoning);
        }
        copy.putAll(message);
        if (reasoning != null) {
            copy.put("reasoning_content", reasoning);
        }
        return copy;
    }

    private static String tagged(Map<String, Object> last, List<String> fields, Object value) {
        throwIf(!(value instanceof CharSequence),
                () -> new IllegalArgumentException("The final message's '" + fields.get(0) + "' is not a text that can be continued"));
        fields.forEach(name -> last.put(name, value + TAG));
        return value.toString();
    }

    /** Adds the tag after the last block of text. */
    private static String tagged(Map<String, Object> last, String field, Iterable<?> content) {
        List<Object> blocks = new ArrayList<>();
        content.forEach(blocks::add);
        for (int i = blocks.size() - 1; i >= 0; i--) {
            if (blocks.get(i) instanceof Map<?, ?> block && block.get("text") instanceof CharSequence text) {
                Map<Object, Object> copy = new LinkedHashMap<>(block);
                copy.put("text", text + TAG);
                blocks.set(i, copy);
                last.put(field, blocks);
                return text.toString();
            }
        }
        throw new IllegalArgumentException("The final message has no text to continue");
    }

    List<Map<String, Object>> messages() {
        return messages;
    }

    /** The rendered text up to the end of the continued field; all of it if there is none. */
    String cut(String rendered) {
        if (original == null) {
            return rendered;
        }
        int at = rendered.lastIndexOf(TAG.strip());
        throwIf(at < 0 || !rendered.contains(original.strip()),
                () -> new IllegalArgumentException("The final message does not appear in the prompt, so it cannot be continued: the chat template drops or changes it"));
        String before = rendered.substring(0, at);
        return rendered.startsWith(TAG, at) ? before : before.stripTrailing();
    }
}
