package io.github.bts4j.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.generate.GeneratedToken;
import io.github.bts4j.core.generate.GenerationResult;
import io.github.bts4j.core.generate.StopReason;
import io.github.bts4j.core.generate.TokenLogProb;
import io.github.bts4j.core.generate.TokenScore;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Turns what the scheduler tells about a request's answers into OpenAI's JSON. Everything is called on the scheduler's thread. */
final class Answer {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /** Where JSON goes. */
    interface Sink {
        /** A part of a stream. */
        void event(ObjectNode part);

        /** The end of a stream. */
        void endOfStream();

        /** The whole answer. */
        void whole(ObjectNode answer);

        /** The answer failed. */
        void failed(RuntimeException failure);
    }

    private final ApiRequest request;
    private final LlamaTokenizer tokenizer;
    private final String model;
    private final Sink sink;
    private final String id;
    private final long created = System.currentTimeMillis() / 1000;
    private final List<Choice> choices = new ArrayList<>();
    private int unfinished;
    private boolean over;
    private int completionTokens;

    Answer(ApiRequest request, ServedModel served, Sink sink) {
        this.request = request;
        this.tokenizer = served.tokenizer();
        this.model = served.name();
        this.sink = sink;
        this.id = (request.chat() ? "chatcmpl-" : "cmpl-") + UUID.randomUUID().toString().replace("-", "");
    }

    /** What the scheduler is to do: the answers of every prompt, prompt by prompt. */
    List<Generation> generations(long deadline) {
        List<Generation> generations = new ArrayList<>();
        for (int[] prompt : request.prompts()) {
            for (int i = 0; i < request.n(); i++) {
                Choice choice = new Choice(choices.size(), prompt);
                choices.add(choice);
                boolean score = request.echo() && request.logprobs().isPresent();
                generations.add(new Generation(prompt, request.config(i), score, request.maxTokens() > 0, request.logprobs().orElse(-1), request.expertsOff(),
                        deadline, choice));
            }
        }
        unfinished = choices.size();
        return generations;
    }

    private ObjectNode frame(boolean part) {
        String object = request.chat() ? part ? "chat.completion.chunk" : "chat.completion" : "text_completion";
        return JSON.objectNode().put("id", id).put("object", object).put("created", created).put("model", model);
    }

    private void send(ObjectNode choice) {
        ObjectNode part = frame(true);
        part.putArray("choices").add(choice);
        if (request.includeUsage()) {
            part.putNull("usage");
        }
        sink.event(part);
    }

    private ObjectNode usage() {
        int prompt = request.prompts().stream().mapToInt(ids -> ids.length).sum();
        return JSON.objectNode().put("prompt_tokens", prompt).put("completion_tokens", completionTokens).put("total_tokens", prompt + completionTokens);
    }

    private void finished() {
        unfinished--;
        if (unfinished > 0) {
            return;
        }
        over = true;
        if (request.stream()) {
            if (request.includeUsage()) {
                ObjectNode part = frame(true);
                part.putArray("choices");
                part.set("usage", usage());
                sink.event(part);
            }
            sink.endOfStream();
        } else {
            ObjectNode whole = frame(false);
            ArrayNode all = whole.putArray("choices");
            choices.forEach(choice -> all.add(choice.whole()));
            whole.set("usage", usage());
            sink.whole(whole);
        }
    }

    /** One answer. */
    private final class Choice implements Generation.Listener {
        private final int index;
        private final int[] prompt;
        private final StringBuilder text = new StringBuilder();
        private LogProbs logProbs;
        private int offset;
        private boolean begun;
        private String finish = "";

        Choice(int index, int[] prompt) {
            this.index = index;
            this.prompt = prompt;
            this.logProbs = new LogProbs();
        }

        @Override
        public void onPrompt(List<TokenScore> scores) {
            begin();
            logProbs.add(prompt[0], Float.NaN, List.of());
            scores.forEach(score -> logProbs.add(score.id(), score.logProb(), score.mostLikely()));
            if (request.stream()) {
                part("", NullNode.getInstance());
            }
        }

        /** An echoed prompt, and the role of a chat's answer, come before all tokens. */
        private void begin() {
            if (begun) {
                return;
            }
            begun = true;
            if (request.echo()) {
                text.append(tokenizer.decode(prompt, true));
            }
            if (request.stream() && request.chat()) {
                ObjectNode choice = JSON.objectNode().put("index", index);
                choice.putObject("delta").put("role", "assistant").put("content", "");
                choice.putNull("logprobs");
                choice.putNull("finish_reason");
                send(choice);
            } else if (request.stream() && request.echo() && request.logprobs().isEmpty()) {
                part(text.toString(), NullNode.getInstance());
            }
        }

        @Override
        public void onToken(GeneratedToken token, List<TokenLogProb> alternatives) {
            if (over) {
                return;
            }
            begin();
            completionTokens++;
            text.append(token.text());
            if (request.logprobs().isPresent()) {
                logProbs.add(token.id(), token.logProb(), alternatives);
            }
            if (request.stream() && (!token.text().isEmpty() || request.logprobs().isPresent())) {
                part(token.text(), NullNode.getInstance());
            }
        }

        @Override
        public void onEnd(Optional<GenerationResult> result) {
            if (over) {
                return;
            }
            begin();
            StopReason reason = result.map(GenerationResult::stopReason).orElse(StopReason.MAX_TOKENS);
            finish = reason == StopReason.EOS || reason == StopReason.STOP_STRING ? "stop" : "length";
            if (request.stream()) {
                part("", JSON.textNode(finish));
            }
            finished();
        }

        @Override
        public void onFailure(RuntimeException failure) {
            if (!over) {
                over = true;
                sink.failed(failure);
            }
        }

        private void part(String piece, com.fasterxml.jackson.databind.JsonNode finishReason) {
            ObjectNode choice = JSON.objectNode();
            choice.put("index", index);
            if (request.chat()) {
                ObjectNode delta = choice.putObject("delta");
                if (!piece.isEmpty()) {
                    delta.put("content", piece);
                }
            } else {
                boolean echoed = request.echo() && request.logprobs().isPresent() && offset == 0 && finishReason.isNull() && !logProbs.isEmpty();
                choice.put("text", echoed ? text.toString() : piece);
            }
            choice.set("logprobs", logProbs.isEmpty() ? NullNode.getInstance() : logProbs.json());
            logProbs = new LogProbs();
            choice.set("finish_reason", finishReason);
            send(choice);
        }

        ObjectNode whole() {
            ObjectNode choice = JSON.objectNode().put("index", index);
            if (request.chat()) {
                choice.putObject("message").put("role", "assistant").put("content", text.toString());
            } else {
                choice.put("text", text.toString());
            }
            choice.set("logprobs", request.logprobs().isPresent() ? logProbs.json() : NullNode.getInstance());
            return choice.put("finish_reason", finish);
        }

        /** Tokens with their log-probabilities, since the last part of a stream. */
        private final class LogProbs {
            private final List<TokenScore> tokens = new ArrayList<>();

            void add(int token, float logProb, List<TokenLogProb> alternatives) {
                tokens.add(new TokenScore(token, logProb, alternatives));
            }

            boolean isEmpty() {
                return tokens.isEmpty();
            }

            ObjectNode json() {
                return request.chat() ? chat() : completion();
            }

            private ObjectNode completion() {
                ObjectNode json = JSON.objectNode();
                ArrayNode names = json.putArray("tokens");
                ArrayNode values = json.putArray("token_logprobs");
                ArrayNode tops = json.putArray("top_logprobs");
                ArrayNode offsets = json.putArray("text_offset");
                for (TokenScore token : tokens) {
                    String name = TokenText.of(tokenizer, token.id());
                    names.add(name);
                    offsets.add(offset);
                    offset += name.length();
                    if (Float.isNaN(token.logProb())) { // the first token of a prompt: nothing comes before it
                        values.addNull();
                        tops.addNull();
                        continue;
                    }
                    values.add(token.logProb());
                    tops.add(alternatives(token));
                }
                return json;
            }

            private ObjectNode alternatives(TokenScore token) {
                ObjectNode top = JSON.objectNode();
                for (TokenLogProb other : token.mostLikely()) {
                    String name = TokenText.of(tokenizer, other.id());
                    top.put(top.has(name) ? tokenizer.token(other.id()) : name, other.id() == token.id() ? token.logProb() : other.logProb());
                }
                return top;
            }

            private ObjectNode chat() {
                ObjectNode json = JSON.objectNode();
                ArrayNode content = json.putArray("content");
                for (TokenScore token : tokens) {
                    ObjectNode entry = entry(token.id(), token.logProb());
                    ArrayNode top = entry.putArray("top_logprobs");
                    token.mostLikely().forEach(other -> top.add(entry(other.id(), other.logProb())));
                    content.add(entry);
                }
                return json;
            }

            private ObjectNode entry(int token, float logProb) {
                String name = TokenText.of(tokenizer, token);
                ObjectNode entry = JSON.objectNode().put("token", name).put("logprob", logProb);
                ArrayNode bytes = entry.putArray("bytes");
                for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
                    bytes.add(b & 0xFF);
                }
                return entry;
            }
        }
    }
}
