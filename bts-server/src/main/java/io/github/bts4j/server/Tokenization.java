package io.github.bts4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.ChatTemplateException;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.util.Arrays;
import java.util.List;

/** {@code /tokenize} and {@code /detokenize}, with vLLM's fields. */
final class Tokenization {
    private static final int MOST = 1 << 20;

    private Tokenization() {}

    /** The token ids of a text, or of the prompt of a chat. */
    static ObjectNode tokenize(byte[] body, ServedModel served, PromptLimits limits) {
        Fields fields = Fields.parse(body);
        named(fields, served);
        LlamaTokenizer tokenizer = served.model().tokenizer();
        boolean spelled = fields.flag("return_token_strs");
        int[] ids;
        if (fields.get("messages").isMissingNode()) {
            String text = fields.text("prompt").orElseThrow(() -> fields.wrong("prompt", fields.get("prompt"), "a string, unless there are messages"));
            limits.check("prompt", List.of(text));
            ids = tokenizer.encode(text, fields.flag("add_special_tokens", true));
        } else {
            ids = chat(fields, served, limits);
        }
        fields.end();
        ObjectNode response = JsonNodeFactory.instance.objectNode().put("count", ids.length).put("max_model_len", served.model().contextLength());
        ArrayNode tokens = response.putArray("tokens");
        Arrays.stream(ids).forEach(tokens::add);
        if (spelled) {
            ArrayNode strings = response.putArray("token_strs");
            Arrays.stream(ids).mapToObj(tokenizer::token).forEach(strings::add);
        } else {
            response.putNull("token_strs");
        }
        return response;
    }

    private static int[] chat(Fields fields, ServedModel served, PromptLimits limits) {
        if (served.model().chatTemplate().isEmpty()) {
            throw ApiException.of(400, "unsupported_model", "messages", "The model " + served.name() + " has no chat template: send a prompt");
        }
        Tools tools = Tools.read(fields, served);
        try {
            return served.model().chatTemplate().get().encode(served.model().tokenizer(), tools.describedIn(Messages.request(fields, limits)));
        } catch (IllegalArgumentException | ChatTemplateException e) {
            throw ApiException.field("messages", "messages: " + e.getMessage());
        }
    }

    /** The text of token ids, with the spelling of special tokens. */
    static ObjectNode detokenize(byte[] body, ServedModel served) {
        Fields fields = Fields.parse(body);
        named(fields, served);
        JsonNode tokens = fields.get("tokens");
        fields.end();
        LlamaTokenizer tokenizer = served.model().tokenizer();
        if (!tokens.isArray() || tokens.size() > MOST) {
            throw fields.wrong("tokens", tokens, "a list of at most " + MOST + " token ids");
        }
        int[] ids = new int[tokens.size()];
        for (int i = 0; i < ids.length; i++) {
            if (!tokens.get(i).isIntegralNumber() || !tokens.get(i).canConvertToInt() || tokens.get(i).intValue() < 0 || tokens.get(i).intValue() >= tokenizer.vocabSize()) {
                throw fields.wrong("tokens", tokens.get(i), "a list of token ids from 0 to " + (tokenizer.vocabSize() - 1));
            }
            ids[i] = tokens.get(i).intValue();
        }
        return JsonNodeFactory.instance.objectNode().put("prompt", tokenizer.decode(ids, false));
    }

    /** The model's name is optional here. */
    private static void named(Fields fields, ServedModel served) {
        if (!fields.get("model").isMissingNode()) {
            ApiRequest.model(fields, served);
        }
    }
}
