package io.github.bts4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Reads and checks the prompts of a completion.
 *
 * @param fields the request
 * @param name the field's name
 * @param served the model
 * @param limits of the length of texts
 */
record Prompts(Fields fields, String name, ServedModel served, PromptLimits limits) {
    static final int MOST = 512;

    /**
     * A string, a list of strings, a list of token ids, or a list of lists of token ids.
     *
     * @param room how many tokens must fit after a prompt
     */
    List<int[]> read(int room) {
        JsonNode node = fields.get(name);
        boolean addSpecialTokens = fields.flag("add_special_tokens", true);
        List<int[]> prompts = new ArrayList<>();
        if (node.isTextual()) {
            prompts.add(encode(fields.text(name).orElseThrow(), addSpecialTokens));
        } else if (node.isArray() && !node.isEmpty() && node.get(0).isNumber()) {
            prompts.add(ids(node));
        } else if (node.isArray() && !node.isEmpty() && node.size() <= MOST) {
            if (node.get(0).isTextual()) {
                fields.texts(name, MOST).forEach(text -> prompts.add(encode(text, addSpecialTokens)));
            } else {
                node.forEach(each -> prompts.add(ids(each)));
            }
        } else {
            throw fields.wrong(name, node, "a string, a list of token ids, or a list of 1 to " + MOST + " of either");
        }
        for (int i = 0; i < prompts.size(); i++) {
            check(prompts.get(i), i, name, room, served);
        }
        return prompts;
    }

    private int[] encode(String text, boolean addSpecialTokens) {
        limits.check(name, List.of(text));
        return served.model().tokenizer().encode(text, addSpecialTokens);
    }

    private int[] ids(JsonNode node) {
        if (!node.isArray()) {
            throw fields.wrong(name, node, "a string, a list of token ids, or a list of either");
        }
        int[] ids = new int[node.size()];
        for (int i = 0; i < ids.length; i++) {
            if (!node.get(i).isIntegralNumber() || !node.get(i).canConvertToInt()) {
                throw fields.wrong(name, node.get(i), "a token id, a whole number");
            }
            ids[i] = node.get(i).intValue();
        }
        return ids;
    }

    /**
     * Checks the length and the ids of a prompt.
     *
     * @param number of the prompt, from 0
     * @param field the request's field
     * @param room how many tokens must fit after it
     */
    static void check(int[] ids, int number, String field, int room, ServedModel served) {
        int context = served.model().contextLength();
        if (ids.length == 0 || ids.length > context - room) {
            throw ApiException.of(400, "context_length_exceeded", field, field + " number " + number + " has " + ids.length + " tokens; the model's context of " + context
                    + " allows 1 to " + (context - room) + (room == 0 ? "" : " and at least " + room + " new tokens"));
        }
        int vocabulary = served.model().model().vocabSize();
        Arrays.stream(ids).filter(id -> id < 0 || id >= vocabulary).findFirst().ifPresent(id -> {
            throw ApiException.field(field, field + " number " + number + " has the token id " + id + "; the largest id of the vocabulary is " + (vocabulary - 1));
        });
    }
}
