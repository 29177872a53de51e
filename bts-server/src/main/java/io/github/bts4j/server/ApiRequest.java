package io.github.bts4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.ChatTemplateException;
import io.github.bts4j.core.GatedLm;
import io.github.bts4j.core.chat.ChatRequest;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.Penalties;
import io.github.bts4j.core.support.Quoted;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A parsed and validated completion request.
 *
 * @param chat whether it is a chat completion
 * @param prompts token ids of every prompt
 * @param n choices per prompt
 * @param maxTokens maximum number of new tokens per choice; 0 to score the prompt only
 * @param config the options of the first choice; choice i uses the seed plus i
 * @param stream whether tokens are sent as they are generated
 * @param includeUsage whether the stream ends with the token counts
 * @param echo whether the text begins with the prompt
 * @param alternatives number of alternatives per token with its log-probability; -1 for no log-probabilities
 * @param expertsOff experts of a stitched model that are switched off for this request
 * @param tools the tools that the model may call
 * @param gates whether the answer has the gate weights of its tokens
 */
record ApiRequest(boolean chat, List<int[]> prompts, int n, int maxTokens, GenerationConfig config, boolean stream, boolean includeUsage, boolean echo,
        int alternatives, Set<String> expertsOff, Tools tools, boolean gates) {
    private static final int MAX_ANSWERS = 128;
    private static final int MAX_STOPS = 16;
    private static final int MAX_BIASES = 1024;
    private static final double MOST_BIAS = 100;
    private static final int MAX_ALTERNATIVES = 20;
    private static final int COMPLETION_TOKENS = 16; // OpenAI's default for completions
    private static final int HELD_BYTES = 2048; // upper bound of heap for a log-probability
    private static final int WEIGHTS_PER_VALUE = 16; // gate weights take less

    static ApiRequest completion(byte[] body, Terms terms) {
        ServedModel served = terms.served();
        ServerConfig server = terms.config();
        Fields fields = Fields.parse(body);
        model(fields, served);
        boolean echo = fields.flag("echo");
        int maxTokens = fields.whole("max_tokens", echo ? 0 : 1, server.limits().maxTokens()).map(Long::intValue).orElse(Math.min(COMPLETION_TOKENS, server.limits().maxTokens()));
        List<int[]> prompts = new Prompts(fields, "prompt", served, terms.limits()).read(maxTokens == 0 ? 0 : 1);
        int alternatives = fields.whole("logprobs", 0, MAX_ALTERNATIVES).map(Long::intValue).orElse(-1);
        int n = choices(fields, prompts.size(), server);
        if (fields.whole("best_of", 1, MAX_ANSWERS).orElse((long) n) != n) {
            throw ApiException.of(400, "unsupported_value", "best_of", "best_of other than n = " + n + " is not supported by this server; leave it out");
        }
        Neutral.checkCompletion(fields);
        return common(fields, false, prompts, n, maxTokens, echo, alternatives, terms, Tools.NONE.with(ResponseFormats.constraint(fields)));
    }

    static ApiRequest chat(byte[] body, Terms terms) {
        return chat(Fields.parse(body), body.length, terms);
    }

    /** Validates a chat of so many bytes. */
    static ApiRequest chat(Fields fields, int bytes, Terms terms) {
        ServedModel served = terms.served();
        ServerConfig server = terms.config();
        model(fields, served);
        if (served.model().chatTemplate().isEmpty()) {
            throw ApiException.of(400, "unsupported_model", "model", "The model " + served.name() + " has no chat template: use /v1/completions, or start the server with one (bts serve --template)");
        }
        Tools tools = Tools.read(fields, served);
        int[] prompt;
        try {
            ChatRequest request = tools.describedIn(Messages.request(fields, terms.limits()));
            if (bytes > Intake.SHORT_BYTES) { // the long part may not be the messages' content
                terms.limits().check("messages", List.of(served.model().chatTemplate().get().render(request).text()));
            }
            prompt = served.model().chatTemplate().get().encode(served.model().tokenizer(), request);
        } catch (IllegalArgumentException | ChatTemplateException e) {
            throw ApiException.field("messages", "messages: " + e.getMessage());
        }
        Prompts.check(prompt, 0, "messages", 1, served);
        Optional<Long> old = fields.whole("max_tokens", 1, server.limits().maxTokens());
        int maxTokens = fields.whole("max_completion_tokens", 1, server.limits().maxTokens()).or(() -> old).map(Long::intValue)
                .orElse(Math.max(1, Math.min(server.limits().maxTokens(), served.model().contextLength() - prompt.length)));
        boolean logprobs = fields.flag("logprobs");
        long alternatives = fields.whole("top_logprobs", 0, MAX_ALTERNATIVES).orElse(0L);
        if (alternatives > 0 && !logprobs) {
            throw ApiException.field("top_logprobs", "top_logprobs = " + alternatives + " needs logprobs = true");
        }
        Neutral.checkChat(fields);
        return common(fields, true, List.of(prompt), choices(fields, 1, server), maxTokens, false, logprobs ? (int) alternatives : -1, terms, tools);
    }

    private static ApiRequest common(Fields fields, boolean chat, List<int[]> prompts, int n, int maxTokens, boolean echo, int alternatives, Terms terms,
            Tools tools) {
        ServedModel served = terms.served();
        List<String> stops = fields.texts("stop", MAX_STOPS);
        if (stops.stream().anyMatch(String::isEmpty)) {
            throw ApiException.field("stop", "stop holds an empty string, which would end every text immediately");
        }
        GenerationConfig config = GenerationConfig.greedy(Math.max(1, maxTokens))
                .withTemperature(fields.number("temperature", 1, 0, 2))
                .withTopP(fields.positive("top_p", 1, 1))
                .withTopK(Math.max(0, fields.whole("top_k", -1, Integer.MAX_VALUE).orElse(0L).intValue()))
                .withMinP(fields.number("min_p", 0, 0, 1))
                .withPenalties(new Penalties(fields.number("repetition_penalty", 1, 0.01, 100), fields.number("presence_penalty", 0, -2, 2),
                        fields.number("frequency_penalty", 0, -2, 2), logitBias(fields, served)))
                .withSeed(fields.whole("seed", Long.MIN_VALUE, Long.MAX_VALUE).orElseGet(() -> ThreadLocalRandom.current().nextLong()))
                .withStopStrings(stops).withConstraint(tools.constraint());
        boolean stream = fields.flag("stream");
        boolean includeUsage = false;
        JsonNode options = fields.get("stream_options");
        if (!options.isMissingNode()) {
            if (!stream) {
                throw ApiException.field("stream_options", "stream_options needs stream = true");
            }
            Fields inner = new Fields(options, "stream_options.");
            includeUsage = inner.flag("include_usage");
            inner.flag("include_obfuscation"); // padding that hides token lengths from eavesdroppers
            inner.end();
        }
        Set<String> off = terms.expertsOff(fields);
        boolean gates = gates(fields, served);
        fields.end();
        ApiRequest request = new ApiRequest(chat, prompts, n, maxTokens, config, stream, includeUsage, echo, alternatives, off, tools, gates);
        if (!stream) {
            request.checkHeld(served);
        }
        return request;
    }

    /** OpenAI's values are from -100 to 100, by token ids, which JSON writes as strings. */
    private static Map<Integer, Double> logitBias(Fields fields, ServedModel served) {
        JsonNode node = fields.get("logit_bias");
        int vocabulary = served.model().model().vocabSize();
        Map<Integer, Double> bias = new HashMap<>();
        if (!node.isMissingNode() && (!node.isObject() || node.size() > MAX_BIASES)) {
            throw fields.wrong("logit_bias", node, "an object with at most " + MAX_BIASES + " token ids");
        }
        for (Map.Entry<String, JsonNode> each : node.properties()) {
            if (!each.getKey().matches("\\d{1,9}") || Integer.parseInt(each.getKey()) >= vocabulary) {
                throw ApiException.field("logit_bias", "logit_bias: " + Fields.shortened(each.getKey()) + " is not a token id, 0 to " + (vocabulary - 1));
            }
            if (!each.getValue().isNumber() || Math.abs(each.getValue().doubleValue()) > MOST_BIAS) {
                throw ApiException.field("logit_bias", "logit_bias of token " + each.getKey() + " = " + Fields.shortened(each.getValue().toString()) + " must be a number between -100 and 100");
            }
            bias.put(Integer.valueOf(each.getKey()), each.getValue().doubleValue());
        }
        return bias;
    }

    static void model(Fields fields, ServedModel served) {
        String name = fields.text("model").orElseThrow(() -> ApiException.field("model", "model is missing: this server serves " + served.name()));
        if (!name.equals(served.name())) {
            throw ApiException.of(404, "model_not_found", "model", "There is no model " + Quoted.of(Fields.shortened(name)) + ": this server serves " + served.name());
        }
    }

    private static int choices(Fields fields, int prompts, ServerConfig server) {
        int n = fields.whole("n", 1, MAX_ANSWERS).map(Long::intValue).orElse(1);
        int most = Math.min(Prompts.MOST, server.limits().maxQueue());
        if (n * prompts > most) {
            throw ApiException.field("n", "n = " + n + " for " + prompts + (prompts == 1 ? " prompt" : " prompts") + ": this server returns at most " + most
                    + " choices per request (--max-queue)");
        }
        return n;
    }

    private static boolean gates(Fields fields, ServedModel served) {
        boolean gates = fields.flag("gates");
        if (gates && served.model().experts().isEmpty()) {
            throw ApiException.of(400, "unsupported_model", "gates", "gates = true: the model " + served.name() + " is not a stitched model and has no gates; leave it out");
        }
        return gates;
    }

    /** A response that is not streamed keeps all its log-probabilities and gate weights until it is sent. */
    private void checkHeld(ServedModel served) {
        long most = Runtime.getRuntime().maxMemory() / HELD_BYTES;
        long tokens = (long) prompts.size() * maxTokens;
        if (alternatives >= 0) {
            long values = n * (tokens + (echo ? prompts.stream().mapToLong(ids -> ids.length).sum() : 0)) * (alternatives + 1);
            if (values > most) {
                throw ApiException.field("logprobs", "logprobs: the response may have " + values + " log-probabilities, at most " + most
                        + " fit into memory: ask for fewer prompts or tokens, set stream = true, or start the server with more heap (BTS_HEAP)");
            }
        }
        if (gates) {
            GatedLm model = served.model().model().gated().orElseThrow();
            long weights = n * tokens * model.gateLayers().size() * model.modelNames().size();
            if (weights / WEIGHTS_PER_VALUE > most) {
                throw ApiException.field("gates", "gates: the response may have " + weights + " weights, at most " + most * WEIGHTS_PER_VALUE
                        + " fit into memory: ask for fewer prompts or tokens, set stream = true, or start the server with more heap (BTS_HEAP)");
            }
        }
    }

    int promptTokens() {
        return prompts.stream().mapToInt(ids -> ids.length).sum();
    }

    boolean hasLogprobs() {
        return alternatives >= 0;
    }

    /** Options of choice i of a prompt. */
    GenerationConfig config(int i) {
        return config.withSeed(config.seed() + i);
    }
}
