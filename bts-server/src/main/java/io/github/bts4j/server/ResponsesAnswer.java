package io.github.bts4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.chat.ToolCallEvent;
import io.github.bts4j.core.chat.ToolCallParser;
import io.github.bts4j.core.generate.GeneratedToken;
import io.github.bts4j.core.generate.StopReason;
import io.github.bts4j.core.generate.TokenScore;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * An answer in the format of OpenAI's Responses API: items, and the events of a stream in its order. All methods but {@link #sequence} are called on the scheduler's thread.
 */
final class ResponsesAnswer implements Sequence.Listener {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final ApiRequest chat;
    private final AnswerSink sink;
    private final Account account;
    private final ResponsesEnvelope envelope;
    private final Optional<ToolCallParser> calls;
    private final LogProbs logProbs;
    private final AnswerGates gates = new AnswerGates();
    private final Set<Integer> endTokens;
    private final List<ResponsesItem> items = new ArrayList<>();
    private Optional<ObjectNode> gateNames = Optional.empty();
    private String blanks = ""; // not sent yet
    private int shown;
    private int events;
    private boolean over;

    ResponsesAnswer(ResponsesRequest request, ServedModel served, AnswerSink sink, Account account) {
        LlamaTokenizer tokenizer = served.model().tokenizer();
        this.chat = request.chat();
        this.sink = sink;
        this.account = account;
        this.envelope = new ResponsesEnvelope(request, served.name());
        this.calls = chat.tools().parser(tokenizer);
        this.logProbs = new LogProbs(tokenizer, true, false);
        this.endTokens = served.model().endTokens();
    }

    /** The sequence to schedule. */
    Sequence sequence(long deadline, boolean observed) {
        Sequence.Wanted wanted = new Sequence.Wanted(false, true, chat.alternatives(), chat.gates() || observed);
        return new Sequence(chat.prompts().get(0), chat.config(0), wanted, chat.expertsOff(), deadline, this);
    }

    @Override
    public boolean isReady() {
        return !chat.stream() || sink.isReady();
    }

    @Override
    public void onPrompt(List<TokenScore> scores) {
        throw new IllegalStateException("The prompt is not scored");
    }

    @Override
    public void onPromptProcessed(int reusedTokens) {
        envelope.cached(reusedTokens);
        for (String type : List.of("response.created", "response.in_progress")) {
            send(event(type).set("response", envelope.response("in_progress", JSON.arrayNode())));
        }
    }

    private static ObjectNode event(String type) {
        return JSON.objectNode().put("type", type);
    }

    /** An event of the stream. */
    private void send(ObjectNode event) {
        if (chat.stream()) {
            sink.event(event.put("sequence_number", events++));
        }
    }

    @Override
    public void onToken(Sequence.Step step) {
        if (over) {
            return;
        }
        GeneratedToken token = step.token();
        envelope.generated();
        account.generated();
        step.gates().ifPresent(weights -> {
            account.generated(weights);
            gateNames = gateNames.or(() -> Optional.of(AnswerGates.names(weights)));
            if (chat.gates()) {
                gates.add(token, weights);
            }
        });
        if (chat.hasLogprobs() && !endTokens.contains(token.id())) {
            logProbs.add(token.id(), token.logProb(), step.alternatives());
        }
        take(calls.isPresent() ? calls.get().push(token) : token.text().isEmpty() ? List.of() : List.of(new ToolCallEvent.Content(token.text())));
    }

    private void take(List<ToolCallEvent> pieces) {
        for (ToolCallEvent piece : pieces) {
            if (piece instanceof ToolCallEvent.Content text) {
                text(text.text());
            } else if (piece instanceof ToolCallEvent.Call call) {
                begin(ResponsesItem.call(items.size(), call.name()));
            } else if (piece instanceof ToolCallEvent.Arguments more) {
                ResponsesItem item = last().orElseThrow();
                item.append(more.text());
                send(item.about("response.function_call_arguments.delta").put("delta", more.text()));
            }
        }
    }

    private Optional<ResponsesItem> last() {
        return items.isEmpty() ? Optional.empty() : Optional.of(items.get(items.size() - 1));
    }

    private void text(String more) {
        String text = blanks + more;
        blanks = "";
        if (last().filter(ResponsesItem::isMessage).isEmpty()) {
            if (calls.isPresent() && text.isBlank()) { // blanks beside calls are no message
                blanks = text;
                return;
            }
            begin(ResponsesItem.message(items.size()));
        }
        if (text.isEmpty()) {
            return;
        }
        ResponsesItem item = last().orElseThrow();
        item.append(text);
        shown += text.codePointCount(0, text.length());
        ArrayNode values = logProbs.isEmpty() ? JSON.arrayNode() : (ArrayNode) logProbs.takeChat(shown).get("content");
        item.append(values);
        send(item.part("response.output_text.delta").put("delta", text).set("logprobs", values));
    }

    private void begin(ResponsesItem item) {
        endItem("completed");
        items.add(item);
        send(event("response.output_item.added").put("output_index", item.index()).set("item", item.begun()));
        if (item.isMessage()) {
            send(item.part("response.content_part.added").set("part", ResponsesItem.emptyPart()));
        }
    }

    private void endItem(String status) {
        if (items.isEmpty()) {
            return;
        }
        ResponsesItem item = items.get(items.size() - 1);
        if (item.isMessage()) {
            send(item.part("response.output_text.done").put("text", item.text()).set("logprobs", item.logprobs()));
            send(item.part("response.content_part.done").set("part", item.wholePart()));
        } else {
            send(item.about("response.function_call_arguments.done").put("name", item.name()).put("arguments", item.text()));
        }
        item.end(status);
        send(event("response.output_item.done").put("output_index", item.index()).set("item", item.whole()));
    }

    @Override
    public Optional<StopReason> enough() {
        return calls.flatMap(parser -> chat.tools().enough(parser.calls()));
    }

    @Override
    public void onEnd(StopReason reason) {
        if (over) {
            return;
        }
        over = true;
        calls.ifPresent(parser -> take(parser.end()));
        if (items.isEmpty()) {
            begin(ResponsesItem.message(0));
            text("");
        }
        boolean complete = CompletionResponse.isFinished(reason);
        String status = complete ? "completed" : "incomplete";
        account.stopped(complete ? "stop" : "length");
        endItem(status);
        ObjectNode response = envelope.response(status, output());
        if (chat.gates()) {
            ObjectNode weights = response.putObject("gates");
            gateNames.ifPresent(weights::setAll);
            weights.setAll(gates.take());
            envelope.shares(response, account);
        }
        if (chat.stream()) {
            send(event("response." + status).set("response", response));
            sink.endOfStream("");
        } else {
            sink.whole(response);
        }
    }

    private ArrayNode output() {
        ArrayNode output = JSON.arrayNode();
        items.forEach(item -> output.add(item.whole()));
        return output;
    }

    @Override
    public void onFailure(RuntimeException failure) {
        if (over) {
            return;
        }
        over = true;
        if (events == 0) {
            sink.failed(failure);
            return;
        }
        ApiException known = ApiException.known(failure);
        account.failed(known);
        ObjectNode response = envelope.response("failed", output());
        JsonNode error = JSON.objectNode().put("code", known.status() >= 500 ? "server_error" : known.code()).put("message", known.getMessage());
        send(event("response.failed").set("response", response.set("error", error)));
        sink.endOfStream("");
    }
}
