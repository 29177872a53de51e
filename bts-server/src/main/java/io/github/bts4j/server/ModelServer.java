package io.github.bts4j.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.PrefixCache;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An HTTP server for one model, with OpenAI's interface: {@code POST /v1/chat/completions}, {@code /v1/completions} and
 * {@code /v1/responses}, also streaming, {@code /v1/embeddings}, {@code GET /v1/models}, {@code /health}, and {@code /metrics} for Prometheus; at {@code /} a page to chat with the model and to see the gates of a stitched one,
 * from {@code POST /bts/gates}.
 *
 * <p>Running sequences are batched: each pass over the weights serves all of them. A request is validated before anything is computed; an error gets a status 4xx and the
 * field's name. When a client disconnects, its sequences are cancelled. The server does not close the model.
 */
public final class ModelServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ModelServer.class);
    private static final int MAX_HEADER_BYTES = 16 << 10;
    private static final int SEND_BUFFER_BYTES = 128 << 10; // the system's default is megabytes for each client that does not read

    private final ServedModel served;
    private final ServerConfig config;
    private final PrometheusMeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final CompositeMeterRegistry registries = new CompositeMeterRegistry();
    private final List<MeterRegistry> others;
    private final ServerMetrics metrics;
    private final Scheduler scheduler;
    private final Optional<PrefixCache> prefixes;
    private final Connections connections;
    private final Access access;
    private final Clients clients;
    private final Intake intake;
    private final PromptLimits limits;
    private final Vertx vertx;
    private final HttpServer http;
    private final long started = System.currentTimeMillis() / 1000;
    private boolean closed;

    private ModelServer(ServedModel served, ServerConfig config, List<MeterRegistry> others) throws IOException {
        this.served = served;
        this.config = config;
        checkExperts(served, config);
        this.access = new Access(config);
        this.clients = new Clients(config, System::nanoTime);
        this.intake = new Intake(config);
        this.limits = new PromptLimits(served.model().tokenizer(), served.model().contextLength());
        registries.add(prometheus);
        others.forEach(registries::add);
        this.others = others;
        this.metrics = new ServerMetrics(registries, config.observation().expertMetrics());
        this.prefixes = config.limits().prefixCacheBytes() == 0 ? Optional.empty() : Optional.of(new PrefixCache(config.limits().prefixCacheBytes()));
        this.scheduler = new Scheduler(new Generators(served.model(), generator -> prefixes.map(generator::withPrefixCache).orElse(generator)),
                config.limits().maxBatch(), config.limits().maxQueue(), metrics);
        this.vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1).setWorkerPoolSize(2));
        this.connections = new Connections(vertx, config.timeouts().body(), idleTimeout());
        metrics.gauges(scheduler::running, scheduler::waiting, connections::count);
        prefixes.ifPresent(metrics::prefixCache);
        try {
            this.http = await(vertx.createHttpServer(options()).connectionHandler(connections::opened).requestHandler(this::route)
                    .listen(config.port(), config.host()).toCompletionStage().toCompletableFuture());
        } catch (IOException e) {
            scheduler.close();
            prefixes.ifPresent(PrefixCache::close);
            intake.close();
            vertx.close();
            leaveRegistries();
            throw new IOException("Cannot listen on " + config.host() + ":" + config.port() + ": " + e.getMessage(), e);
        }
        LOG.info("{} is served at {}", served.name(), uri());
    }

    private static void checkExperts(ServedModel served, ServerConfig config) {
        List<String> experts = served.model().experts();
        if (config.observation().expertMetrics() && experts.isEmpty()) {
            throw new IllegalArgumentException("expertMetrics = true: the model " + served.name() + " is not a stitched model and has no experts to observe");
        }
        config.policy().ifPresent(policy -> policy.keys().forEach(key -> key.experts().orElse(Set.of()).stream().filter(name -> !experts.contains(name)).findFirst().ifPresent(name -> {
            throw new IllegalArgumentException("policy: the key " + key.name() + " names the expert " + name + ", but the model " + served.name() + " has " + (experts.isEmpty() ? "none" : "only " + experts));
        })));
    }

    private HttpServerOptions options() {
        return new HttpServerOptions().setMaxHeaderSize(MAX_HEADER_BYTES).setMaxInitialLineLength(4096).setHandle100ContinueAutomatically(true)
                .setHttp2ClearTextEnabled(false).setSendBufferSize(SEND_BUFFER_BYTES).setIdleTimeout((int) idleTimeout().toSeconds()).setIdleTimeoutUnit(TimeUnit.SECONDS);
    }

    /** Longer than any response takes. */
    private Duration idleTimeout() {
        return Duration.ofSeconds(Math.max(60, config.timeouts().request().toSeconds() + 30));
    }

    /**
     * Starts a server.
     *
     * @param served what to serve
     * @param config the settings
     * @return the running server, which the caller closes
     * @throws IOException if the server cannot listen on the address
     */
    public static ModelServer start(ServedModel served, ServerConfig config) throws IOException {
        return new ModelServer(served, config, List.of());
    }

    /**
     * Starts a server that also reports its metrics to a registry of the application.
     *
     * @param served what to serve
     * @param config the settings
     * @param metrics where meters named {@code bts4j.*} are registered, besides the server's own registry at {@code /metrics}; not closed with the server
     * @return the running server, which the caller closes
     * @throws IOException if the server cannot listen on the address
     */
    public static ModelServer start(ServedModel served, ServerConfig config, MeterRegistry metrics) throws IOException {
        return new ModelServer(served, config, List.of(metrics));
    }

    /**
     * {@return the server's address, such as {@code http://127.0.0.1:8080}, which is also its page} OpenAI clients use it followed by
     * {@code /v1} as base URL.
     */
    public URI uri() {
        String host = config.host().contains(":") ? "[" + config.host() + "]" : config.host();
        return URI.create("http://" + host + ":" + http.actualPort());
    }

    private void route(HttpServerRequest request) {
        if (request.response().writeQueueFull()) { // a client that sends requests and reads no responses
            Connections.end(request.connection());
            return;
        }
        connections.arrived(request);
        Exchange exchange = new Exchange(vertx, intake, request, config, metrics);
        try {
            if (access.answered(request)) {
                return;
            }
            switch (request.path() == null ? "" : request.path()) {
                case "/health" -> exchange.get(() -> health(exchange));
                case "/metrics" -> exchange.get(() -> exchange.text("text/plain; version=0.0.4; charset=utf-8", prometheus.scrape()));
                case "/v1/models" -> exchange.authorized(clients).get(() -> exchange.json(200, models(exchange)));
                case "/v1/completions" -> exchange.authorized(clients).post(body -> answer(exchange, ApiRequest.completion(body, terms(exchange))));
                case "/v1/chat/completions" -> exchange.authorized(clients).post(body -> answer(exchange, ApiRequest.chat(body, terms(exchange))));
                case "/v1/embeddings" -> exchange.authorized(clients).post(body -> embed(exchange, body));
                case "/v1/responses" -> exchange.authorized(clients).post(body -> respond(exchange, body));
                case "/bts/gates" -> exchange.authorized(clients).post(body -> trace(exchange, body));
                case "/tokenize" -> exchange.authorized(clients).post(body -> exchange.answered(Tokenization.tokenize(body, served, limits)));
                case "/detokenize" -> exchange.authorized(clients).post(body -> exchange.answered(Tokenization.detokenize(body, served)));
                case "/" -> exchange.get(() -> exchange.page("index.html", "text/html"));
                case "/models.css", "/page.css" -> exchange.get(() -> exchange.page(request.path().substring(1), "text/css"));
                case "/api.js", "/conversation.js", "/inspector.js", "/markdown.js", "/page.js", "/palette.js", "/panel.js", "/plot.js", "/run.js", "/share.js" ->
                        exchange.get(() -> exchange.page(request.path().substring(1), "text/javascript"));
                case "/icon.svg" -> exchange.get(() -> exchange.page("icon.svg", "image/svg+xml"));
                default -> model(exchange, request);
            }
        } catch (RuntimeException | Error e) {
            exchange.failed(e);
        }
    }

    private void model(Exchange exchange, HttpServerRequest request) {
        String prefix = "/v1/models/";
        if (request.path() == null || !request.path().startsWith(prefix)) {
            throw ApiException.of(404, "not_found", "Not found; the server has /v1/chat/completions, /v1/completions, /v1/responses, /v1/embeddings, /v1/models, /bts/gates, /tokenize, /detokenize, /health, /metrics and a page at /");
        }
        exchange.authorized(clients);
        if (!decoded(request.path().substring(prefix.length())).equals(served.name())) {
            throw ApiException.of(404, "model_not_found", "There is no such model: this server serves " + served.name());
        }
        exchange.get(() -> exchange.json(200, model(exchange)));
    }

    /** A part of a path without percent-encoding; a plus sign is itself there. */
    private static String decoded(String path) {
        try {
            return URLDecoder.decode(path.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) { // a percent sign without two digits
            return path;
        }
    }

    private void health(Exchange exchange) {
        boolean alive = scheduler.isAlive();
        exchange.json(alive ? 200 : 503, JsonNodeFactory.instance.objectNode().put("status", alive ? "ok" : "down"));
    }

    private ObjectNode models(Exchange exchange) {
        ObjectNode list = JsonNodeFactory.instance.objectNode().put("object", "list");
        list.putArray("data").add(model(exchange));
        return list;
    }

    /** With the experts that the client may use. */
    private ObjectNode model(Exchange exchange) {
        ObjectNode model = JsonNodeFactory.instance.objectNode().put("id", served.name()).put("object", "model").put("created", started).put("owned_by", "bts4j")
                .put("context_length", served.model().contextLength()).put("chat", served.model().chatTemplate().isPresent());
        exchange.account().client().allowed(served.model().experts()).forEach(model.putArray("experts")::add);
        return model;
    }

    private Terms terms(Exchange exchange) {
        return new Terms(served, config, limits, exchange.account().client());
    }

    private void answer(Exchange exchange, ApiRequest request) {
        CompletionResponse response = new CompletionResponse(request, served, exchange.sink(), exchange.account(), config.observation().expertMetrics());
        submit(exchange, response.sequences(exchange.deadline()), request.expertsOff(), request.promptTokens());
    }

    private void embed(Exchange exchange, byte[] body) {
        EmbeddingsResponse response = EmbeddingsResponse.of(body, terms(exchange), exchange.sink());
        submit(exchange, response.passes(exchange.deadline()), response.off(), response.tokens());
    }

    private void respond(Exchange exchange, byte[] body) {
        ResponsesRequest request = ResponsesRequest.of(body, terms(exchange));
        ResponsesAnswer answer = new ResponsesAnswer(request, served, exchange.sink(), exchange.account());
        submit(exchange, List.of(answer.sequence(exchange.deadline(), config.observation().expertMetrics())), request.chat().expertsOff(), request.chat().promptTokens());
    }

    private void trace(Exchange exchange, byte[] body) {
        GateRequest gates = GateRequest.of(body, terms(exchange), exchange.deadline(), exchange.sink());
        submit(exchange, List.of(gates), gates.off(), gates.length());
    }

    private void submit(Exchange exchange, List<? extends Work> works, Set<String> expertsOff, long promptTokens) {
        exchange.account().accepted(served.name(), terms(exchange).expertsOn(expertsOff), promptTokens);
        exchange.whenGone(() -> works.forEach(Work::cancel));
        scheduler.submit(works);
    }

    /** Refuses new requests, lets running sequences finish within {@link ServerConfig.Timeouts#shutdown}, and stops. Closing twice does nothing. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            scheduler.drain(config.timeouts().shutdown().toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        scheduler.close();
        prefixes.ifPresent(PrefixCache::close);
        intake.close();
        try {
            await(http.shutdown(2, TimeUnit.SECONDS).toCompletionStage().toCompletableFuture());
            await(vertx.close().toCompletionStage().toCompletableFuture());
        } catch (IOException e) {
            LOG.warn("The server did not shut down cleanly: {}", e.getMessage());
        }
        leaveRegistries();
    }

    /** Leaves the application's registries open. */
    private void leaveRegistries() {
        metrics.removeGauges();
        others.forEach(registries::remove);
        registries.close();
    }

    private static <T> T await(Future<T> future) throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return future.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    throw new IOException(e.getCause().getMessage(), e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
