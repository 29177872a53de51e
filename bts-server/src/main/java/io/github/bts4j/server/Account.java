package io.github.bts4j.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.GateWeights;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What one request has used so far, for its client's quota, the metrics and the audit log. Thread-safe. */
final class Account {
    private final String path;
    private final ServerMetrics metrics;
    private final GateShares shares = new GateShares();
    private final List<String> stops = new ArrayList<>();
    private List<String> experts = List.of();
    private Client client = Client.unlimited("");
    private String model = "";
    private String error = "";
    private long promptTokens;
    private long completionTokens;

    Account(String path, ServerMetrics metrics) {
        this.path = path;
        this.metrics = metrics;
    }

    synchronized Client client() {
        return client;
    }

    synchronized void client(Client sender) {
        client = sender;
    }

    /** A request that is accepted: its model, the experts that are on, and its prompts' tokens. */
    synchronized void accepted(String name, List<String> on, long prompt) {
        model = name;
        experts = List.copyOf(on);
        promptTokens = prompt;
        client.use(prompt);
        metrics.accepted(client.name(), on, prompt);
    }

    synchronized void generated() {
        completionTokens++;
        client.use(1);
        metrics.generated(client.name());
    }

    synchronized void generated(GateWeights token) {
        shares.add(token);
        metrics.gates(token);
    }

    synchronized void stopped(String reason) {
        stops.add(reason);
    }

    synchronized void failed(ApiException failure) {
        error = failure.code();
        if (failure.status() == 403 || failure.status() == 429) {
            metrics.refused(client.name(), failure.code());
        }
    }

    synchronized Map<String, Double> shares() {
        return shares.byModel();
    }

    /** The audit log's line. Names, not secrets; numbers, not texts. */
    synchronized ObjectNode line(Instant time, int status, double seconds) {
        ObjectNode line = JsonNodeFactory.instance.objectNode().put("time", time.toString()).put("key", client.name()).put("path", path).put("model", model);
        ArrayNode on = line.putArray("experts");
        experts.forEach(on::add);
        ObjectNode byModel = line.putObject("gate_shares");
        shares.byModel().forEach((name, share) -> byModel.put(name, AnswerGates.rounded(share)));
        line.put("prompt_tokens", promptTokens).put("completion_tokens", completionTokens);
        ArrayNode reasons = line.putArray("stop");
        stops.forEach(reasons::add);
        line.put("seconds", Math.round(seconds * 1e3) / 1e3).put("status", status);
        return error.isEmpty() ? line : line.put("error", error);
    }
}
