package io.github.bts4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.TextNode;
import io.github.bts4j.core.chat.ChatMessage;
import io.github.bts4j.core.generate.GenerationConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A request for completions, understood and checked.
 *
 * @param chat whether it is a chat completion
 * @param prompts token ids of every prompt
 * @param n answers per prompt
 * @param maxTokens the most new tokens of an answer; 0 where only the prompt is to be scored
 * @param config the options of the first answer; answer i draws with its seed plus i
 * @param stream whether tokens are sent as they come
 * @param includeUsage whether the stream ends with the counts of tokens
 * @param echo whether answers begin with their prompts
 * @param logprobs how many alternatives to give at every token; empty for no log-probabilities
 * @param expertsOff experts of a stitched model that are switched off for this request
 */
record ApiRequest(boolean chat, List<int[]> prompts, int n, int maxTokens, GenerationConfig config, boolean stream, boolean includeUsage, boolean echo,
        Optional<Integer> logprobs, Set<String> expertsOff) {
    private static final int MAX_ANSWERS = 128;
    private static final int MAX_PROMPTS = 512;
    private static final int MAX_STOPS = 16;
    private static final int MAX_MESSAGES = 4096;
    private static final int MAX_ALTERNATIVES = 20;
    private static final int COMPLETION_TOKENS = 16; // what OpenAI's completions give without max_tokens
    private static final Set<String> ROLES = Set.of("system", "user", "assistant");

    static ApiRequest completion(byte[] body, ServedModel served, ServerConfig server) {
        Fields fields = Fields.parse(body);
        model(fields, served);
        List<int[]> prompts = prompts(fields, served);
        boolean echo = fields.flag("echo");
        int maxTokens = fields.whole("max_tokens", echo ? 0 : 1, server.maxTokens()).map(Long::intValue).orElse(Math.min(COMPLETION_TOKENS, server.maxTokens()));
        Optional<Integer> logprobs = fields.whole("logprobs", 0, MAX_ALTERNATIVES).map(Long::intValue);
        fields.onlyNeutral("suffix", TextNode.valueOf(""));
        int n = answers(fields, prompts.size());
        if (fields.whole("best_of", 1, MAX_ANSWERS).orElse((long) n) != n) {
            throw ApiException.of(400, "unsupported_value", "best_of", "best_of other than n is not supported by this server");
        }
        return common(fields, false, prompts, n, maxTokens, echo, logprobs, served);
    }

    static ApiRequest chat(byte[] body, ServedModel served, ServerConfig server) {
        Fields fields = Fields.parse(body);
        model(fields, served);
        if (served.chat().isEmpty()) {
            throw ApiException.of(400, "unsupported_model", "model", "The model " + served.name() + " has no chat template: use /v1/completions, or serve it with a template (bts serve --template)");
        }
        List<ChatMessage> messages = messages(fields);
        int[] prompt;
        try {
            prompt = served.chat().get().encode(served.tokenizer(), messages, true);
        } catch (IllegalArgumentException e) {
            throw ApiException.field("messages", "messages: " + e.getMessage());
        }
        Optional<Long> old = fields.whole("max_tokens", 1, server.maxTokens());
        int maxTokens = fields.whole("max_completion_tokens", 1, server.maxTokens()).or(() -> old).map(Long::intValue)
                .orElse(Math.max(1, Math.min(server.maxTokens(), served.model().contextLength() - prompt.length)));
        boolean logprobs = fields.flag("logprobs");
        Optional<Long> alternatives = fields.whole("top_logprobs", 0, MAX_ALTERNATIVES);
        if (alternatives.isPresent() && !logprobs) {
            throw ApiException.field("top_logprobs", "top_logprobs needs logprobs = true");
        }
        JsonNodeFactory json = JsonNodeFactory.instance;
        fields.onlyNeutral("tools", json.arrayNode());
        fields.onlyNeutral("tool_choice", TextNode.valueOf("none"), TextNode.valueOf("auto"));
        fields.onlyNeutral("functions", json.arrayNode());
        fields.onlyNeutral("response_format", json.objectNode().put("type", "text"));
        fields.ignored("parallel_tool_calls");
        List<int[]> prompts = List.of(prompt);
        checkPrompt(prompt, 0, "messages", served);
        return common(fields, true, prompts, answers(fields, 1), maxTokens, false, logprobs ? Optional.of(alternatives.orElse(0L).intValue()) : Optional.empty(),
                served);
    }

    private static ApiRequest common(Fields fields, boolean chat, List<int[]> prompts, int n, int maxTokens, boolean echo, Optional<Integer> logprobs,
            ServedModel served) {
        List<String> stops = fields.texts("stop", MAX_STOPS);
        if (stops.stream().anyMatch(String::isEmpty)) {
            throw ApiException.field("stop", "stop holds an empty string, which would end every text at once");
        }
        GenerationConfig config = GenerationConfig.builder(Math.max(1, maxTokens))
                .temperature(fields.number("temperature", 1, 0, 2))
                .topP(fields.number("top_p", 1, Math.ulp(1.0f), 1))
                .topK(fields.whole("top_k", 0, Integer.MAX_VALUE).orElse(0L).intValue())
                .minP(fields.number("min_p", 0, 0, 1))
                .repetitionPenalty(fields.number("repetition_penalty", 1, 0.01, 100))
                .seed(fields.whole("seed", Long.MIN_VALUE, Long.MAX_VALUE).orElseGet(() -> ThreadLocalRandom.current().nextLong()))
                .eosTokenIds(served.eosTokenIds())
                .stopStrings(stops).build();
        boolean stream = fields.flag("stream");
        boolean includeUsage = false;
        JsonNode options = fields.get("stream_options");
        if (!options.isMissingNode()) {
            if (!stream) {
                throw ApiException.field("stream_options", "stream_options needs stream = true");
            }
            Fields inner = new Fields(options, "stream_options.");
            includeUsage = inner.flag("include_usage");
            inner.end();
        }
        Set<String> off = expertsOff(fields, served);
        fields.onlyNeutral("frequency_penalty", IntNode.valueOf(0));
        fields.onlyNeutral("presence_penalty", IntNode.valueOf(0));
        fields.onlyNeutral("logit_bias", JsonNodeFactory.instance.objectNode());
        fields.ignored("user", "metadata", "store", "service_tier");
        fields.end();
        return new ApiRequest(chat, prompts, n, maxTokens, config, stream, includeUsage, echo, logprobs, off);
    }

    static Set<String> expertsOff(Fields fields, ServedModel served) {
        Set<String> off = new TreeSet<>(fields.texts("experts_off", MAX_PROMPTS));
        List<String> experts = served.experts();
        off.stream().filter(name -> !experts.contains(name)).findFirst().ifPresent(name -> {
            throw ApiException.field("experts_off", "experts_off: there is no expert " + Fields.shortened(name) + ", only " + experts);
        });
        return off;
    }

    static void model(Fields fields, ServedModel served) {
        String name = fields.text("model").orElseThrow(() -> ApiException.field("model", "model is missing: this server has " + served.name()));
        if (!name.equals(served.name())) {
            throw ApiException.of(404, "model_not_found", "model", "There is no model " + Fields.shortened(name) + ": this server has " + served.name());
        }
    }

    private static int answers(Fields fields, int prompts) {
        int n = fields.whole("n", 1, MAX_ANSWERS).map(Long::intValue).orElse(1);
        if (n * prompts > MAX_PROMPTS) {
            throw ApiException.field("n", "n = " + n + " for " + prompts + " prompts: at most " + MAX_PROMPTS + " answers per request");
        }
        return n;
    }

    /** A string, a list of strings, a list of token ids, or a list of lists of token ids. */
    static List<int[]> prompts(Fields fields, ServedModel served) {
        JsonNode node = fields.get("prompt");
        List<int[]> prompts = new ArrayList<>();
        if (node.isTextual()) {
            prompts.add(served.tokenizer().encode(fields.text("prompt").orElseThrow(), true));
        } else if (node.isArray() && !node.isEmpty() && node.get(0).isNumber()) {
            prompts.add(ids(fields, node));
        } else if (node.isArray() && !node.isEmpty() && node.size() <= MAX_PROMPTS) {
            if (node.get(0).isTextual()) {
                fields.texts("prompt", MAX_PROMPTS).forEach(text -> prompts.add(served.tokenizer().encode(text, true)));
            } else {
                node.forEach(each -> prompts.add(ids(fields, each)));
            }
        } else {
            throw fields.wrong("prompt", node, "a string, a list of token ids, or a list of 1 to " + MAX_PROMPTS + " of either");
        }
        for (int i = 0; i < prompts.size(); i++) {
            checkPrompt(prompts.get(i), i, "prompt", served);
        }
        return prompts;
    }

    private static int[] ids(Fields fields, JsonNode node) {
        if (!node.isArray()) {
            throw fields.wrong("prompt", node, "a string, a list of token ids, or a list of either");
        }
        int[] ids = new int[node.size()];
        for (int i = 0; i < ids.length; i++) {
            if (!node.get(i).isIntegralNumber() || !node.get(i).canConvertToInt()) {
                throw fields.wrong("prompt", node.get(i), "a token id, a whole number,");
            }
            ids[i] = node.get(i).intValue();
        }
        return ids;
    }

    static void checkPrompt(int[] ids, int number, String field, ServedModel served) {
        int context = served.model().contextLength();
        if (ids.length == 0 || ids.length >= context) {
            throw ApiException.of(400, "context_length_exceeded", field, field + " number " + number + " holds " + ids.length + " tokens; between 1 and " + (context - 1)
                    + " fit into the model's context of " + context);
        }
        int vocabulary = served.model().vocabSize();
        Arrays.stream(ids).filter(id -> id < 0 || id >= vocabulary).findFirst().ifPresent(id -> {
            throw ApiException.field(field, field + " number " + number + " holds the token id " + id + ", the vocabulary ends at " + (vocabulary - 1));
        });
    }

    static List<ChatMessage> messages(Fields fields) {
        JsonNode node = fields.get("messages");
        if (!node.isArray() || node.isEmpty() || node.size() > MAX_MESSAGES) {
            throw fields.wrong("messages", node, "a list of 1 to " + MAX_MESSAGES + " messages");
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (int i = 0; i < node.size(); i++) {
            Fields message = new Fields(node.get(i), "messages[" + i + "].");
            String role = message.text("role").map(name -> name.equals("developer") ? "system" : name).orElse("");
            if (!ROLES.contains(role)) {
                throw message.wrong("role", message.get("role"), "system, user or assistant");
            }
            messages.add(new ChatMessage(role, content(message)));
            message.ignored("name");
            message.end();
        }
        return messages;
    }

    /** A string, or a list of parts of type text. */
    private static String content(Fields message) {
        JsonNode node = message.get("content");
        if (!node.isArray()) {
            return message.text("content").orElseThrow(() -> message.wrong("content", node, "a string or a list of text parts"));
        }
        StringBuilder text = new StringBuilder();
        for (JsonNode each : node) {
            Fields part = new Fields(each, "messages[].content[].");
            if (!part.text("type").orElse("").equals("text")) {
                throw part.wrong("type", part.get("type"), "text, the only kind of content that this server reads,");
            }
            text.append(part.text("text").orElseThrow(() -> part.wrong("text", part.get("text"), "a string")));
            part.end();
        }
        return text.toString();
    }

    /** Options of answer number i of a prompt. */
    GenerationConfig config(int i) {
        return config.withSeed(config.seed() + i);
    }
}
