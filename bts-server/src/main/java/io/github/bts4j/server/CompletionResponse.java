package io.github.bts4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.GateWeights;
import io.github.bts4j.core.generate.GeneratedToken;
import io.github.bts4j.core.generate.StopReason;
import io.github.bts4j.core.generate.TokenScore;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** Turns the scheduler's events for a request's sequences into OpenAI's JSON. All methods are called on the scheduler's thread. */
final class CompletionResponse {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final Set<StopReason> FINISHED = Set.of(StopReason.EOS, StopReason.STOP_STRING, StopReason.COMPLETE);

    private final ApiRequest request;
    private final LlamaTokenizer tokenizer;
    private final Set<Integer> endTokens;
    private final String model;
    private final AnswerSink sink;
    private final Account account;
    private final boolean observed;
    private final String id;
    private final long created = System.currentTimeMillis() / 1000;
    private final List<Choice> choices = new ArrayList<>();
    private Optional<ObjectNode> gateNames = Optional.empty(); // not sent yet
    private int unfinished;
    private boolean over;
    private int completionTokens;
    private int cachedTokens;

    /**
     * A response that has not begun.
     *
     * @param observed whether the gates are computed even if the request does not ask for them
     */
    CompletionResponse(ApiRequest request, ServedModel served, AnswerSink sink, Account account, boolean observed) {
        this.account = account;
        this.observed = observed;
        this.request = request;
        this.tokenizer = served.model().tokenizer();
        this.endTokens = served.model().endTokens();
        this.model = served.name();
        this.sink = sink;
        this.id = (request.chat() ? "chatcmpl-" : "cmpl-") + UUID.randomUUID().toString().replace("-", "");
    }

    /** The sequences to schedule: the choices of each prompt, prompt by prompt. */
    List<Sequence> sequences(long deadline) {
        List<Sequence> sequences = new ArrayList<>();
        for (int[] prompt : request.prompts()) {
            for (int i = 0; i < request.n(); i++) {
                Choice choice = new Choice(choices.size(), prompt);
                choices.add(choice);
                Sequence.Wanted wanted = new Sequence.Wanted(request.echo() && request.hasLogprobs(), request.maxTokens() > 0, request.alternatives(), request.gates() || observed);
                sequences.add(new Sequence(prompt, request.config(i), wanted, request.expertsOff(), deadline, choice));
            }
        }
        unfinished = choices.size();
        return sequences;
    }

    /** Whether the answer ended by itself, and not at a limit. */
    static boolean isFinished(StopReason reason) {
        return FINISHED.contains(reason);
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
        gateNames.ifPresent(names -> part.set("gates", names));
        gateNames = Optional.empty();
        sink.event(part);
    }

    private ObjectNode usage() {
        int prompt = request.promptTokens();
        ObjectNode usage = JSON.objectNode().put("prompt_tokens", prompt).put("completion_tokens", completionTokens).put("total_tokens", prompt + completionTokens);
        usage.putObject("prompt_tokens_details").put("cached_tokens", cachedTokens);
        if (request.gates()) {
            ObjectNode byModel = usage.putObject("gate_shares");
            account.shares().forEach((name, share) -> byModel.put(name, AnswerGates.rounded(share)));
        }
        return usage;
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
            sink.endOfStream("data: [DONE]\n\n");
        } else {
            ObjectNode whole = frame(false);
            ArrayNode all = whole.putArray("choices");
            choices.forEach(choice -> all.add(choice.whole()));
            gateNames.ifPresent(names -> whole.set("gates", names));
            whole.set("usage", usage());
            sink.whole(whole);
        }
    }

    /** One choice of the response. */
    private final class Choice implements Sequence.Listener {
        private final int index;
        private final int[] prompt;
        private final StringBuilder text = new StringBuilder();
        private final LogProbs logProbs;
        private final AnswerGates gates = new AnswerGates();
        private final Optional<AnswerCalls> calls = request.tools().parser(tokenizer).map(AnswerCalls::new);
        private boolean begun;
        private int shown; // characters of the text, without those of a surrogate pair counted twice
        private String finish = "";

        Choice(int index, int[] prompt) {
            this.index = index;
            this.prompt = prompt;
            this.logProbs = new LogProbs(tokenizer, request.chat(), request.echo() && request.hasLogprobs());
        }

        @Override
        public boolean isReady() {
            return !request.stream() || sink.isReady();
        }

        @Override
        public void onPrompt(List<TokenScore> scores) {
            begin();
            logProbs.add(prompt[0], Float.NaN, List.of());
            scores.forEach(score -> logProbs.add(score.id(), score.logProb(), score.mostLikely()));
            logProbs.endOfPrompt();
            if (request.stream()) {
                part(text.toString(), NullNode.getInstance());
            }
        }

        /** Further choices of a prompt share the states of the first. */
        @Override
        public void onPromptProcessed(int reusedTokens) {
            cachedTokens += index % request.n() == 0 ? reusedTokens : 0;
        }

        /** The echoed prompt and the role of a chat message come before all tokens. */
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
                choice.putObject("delta").put("role", "assistant").put("content", "").putNull("refusal");
                choice.putNull("logprobs");
                choice.putNull("finish_reason");
                send(choice);
            } else if (request.stream() && request.echo() && !request.hasLogprobs()) {
                part(text.toString(), NullNode.getInstance());
            }
        }

        @Override
        public void onToken(Sequence.Step step) {
            if (over) {
                return;
            }
            GeneratedToken token = step.token();
            step.gates().ifPresent(weights -> add(token, weights));
            begin();
            completionTokens++;
            account.generated();
            text.append(token.text());
            shown += token.text().codePointCount(0, token.text().length());
            if (request.hasLogprobs() && !(request.chat() && endTokens.contains(token.id()))) { // an end token is not content
                logProbs.add(token.id(), token.logProb(), step.alternatives());
            }
            if (calls.isPresent()) {
                parts(calls.get().push(token));
            }
            if (request.stream() && (!gates.isEmpty() || calls.isEmpty() && (!token.text().isEmpty() || request.hasLogprobs()))) {
                part(calls.isPresent() ? "" : token.text(), NullNode.getInstance());
            }
        }

        private void add(GeneratedToken token, GateWeights weights) {
            account.generated(weights);
            if (request.gates()) {
                gateNames = completionTokens == 0 ? Optional.of(AnswerGates.names(weights)) : gateNames;
                gates.add(token, weights);
            }
        }

        private void parts(List<ObjectNode> deltas) {
            if (request.stream()) {
                deltas.forEach(delta -> part(JSON.objectNode().put("index", index).<ObjectNode>set("delta", delta), NullNode.getInstance()));
            }
        }

        @Override
        public Optional<StopReason> enough() {
            return calls.flatMap(each -> request.tools().enough(each.count()));
        }

        @Override
        public void onEnd(StopReason reason) {
            if (over) {
                return;
            }
            begin();
            finish = isFinished(reason) ? "stop" : "length";
            if (calls.isPresent()) {
                parts(calls.get().end());
                finish = calls.get().any() && finish.equals("stop") ? "tool_calls" : finish;
            }
            account.stopped(finish);
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

        private void part(String piece, JsonNode finishReason) {
            ObjectNode choice = JSON.objectNode();
            choice.put("index", index);
            if (request.chat()) {
                ObjectNode delta = choice.putObject("delta");
                if (!piece.isEmpty()) {
                    delta.put("content", piece);
                }
            } else {
                choice.put("text", piece);
            }
            part(choice, finishReason);
        }

        private void part(ObjectNode choice, JsonNode finishReason) {
            choice.set("logprobs", logProbs.isEmpty() ? NullNode.getInstance() : taken());
            if (!gates.isEmpty()) {
                choice.set("gates", gates.take());
            }
            choice.set("finish_reason", finishReason);
            send(choice);
        }

        private ObjectNode taken() {
            return request.chat() ? logProbs.takeChat(shown) : logProbs.takeCompletion();
        }

        ObjectNode whole() {
            ObjectNode choice = JSON.objectNode().put("index", index);
            if (calls.isPresent()) {
                calls.get().complete(choice.putObject("message").put("role", "assistant"));
            } else if (request.chat()) {
                choice.putObject("message").put("role", "assistant").put("content", text.toString()).putNull("refusal");
            } else {
                choice.put("text", text.toString());
            }
            choice.set("logprobs", request.hasLogprobs() ? taken() : NullNode.getInstance());
            if (request.gates()) {
                choice.set("gates", gates.take());
            }
            return choice.put("finish_reason", finish);
        }
    }
}
