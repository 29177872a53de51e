package io.github.bts4j.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One request and its answer. Runs on the event loop; what other threads have to say is brought there. */
final class Exchange {
    private static final Logger LOG = LoggerFactory.getLogger(Exchange.class);

    /** Time for a client to read why it was refused, before the connection is closed. */
    private static final long LINGER_MILLISECONDS = 1000;

    private final Vertx vertx;
    private final Context context;
    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final ServerConfig config;
    private final ServerMetrics metrics;
    private final long begin = System.nanoTime();
    private boolean gone;

    Exchange(Vertx vertx, HttpServerRequest request, ServerConfig config, ServerMetrics metrics) {
        this.vertx = vertx;
        this.context = vertx.getOrCreateContext();
        this.request = request;
        this.response = request.response();
        this.config = config;
        this.metrics = metrics;
        response.exceptionHandler(e -> { });
        request.exceptionHandler(e -> { });
        response.closeHandler(nothing -> gone = true);
        response.endHandler(nothing -> metrics.request(endpoint(), response.getStatusCode(), (System.nanoTime() - begin) / 1e9));
    }

    /** A path of ours, or "other": clients do not choose the names of metrics. */
    private String endpoint() {
        return switch (request.path() == null ? "" : request.path()) {
            case "/health", "/metrics", "/v1/models", "/v1/completions", "/v1/chat/completions", "/bts/gates", "/" -> request.path();
            default -> "other";
        };
    }

    Exchange authorized() {
        if (config.apiKey().isPresent()) {
            String given = request.getHeader("Authorization");
            byte[] expected = ("Bearer " + config.apiKey().get()).getBytes(StandardCharsets.UTF_8);
            if (given == null || !MessageDigest.isEqual(expected, given.getBytes(StandardCharsets.UTF_8))) {
                throw ApiException.of(401, "invalid_api_key", "The API key is missing or wrong: send it as 'Authorization: Bearer KEY'");
            }
        }
        return this;
    }

    void get(Runnable action) {
        method(HttpMethod.GET);
        action.run();
    }

    private void method(HttpMethod allowed) {
        if (request.method() != allowed) {
            response.putHeader("Allow", allowed.name());
            throw ApiException.of(405, "method_not_allowed", "This address takes " + allowed.name() + " requests");
        }
    }

    /** Reads the body within the limits of size and time, and hands it to a worker thread. */
    void post(Consumer<byte[]> action) {
        method(HttpMethod.POST);
        String type = request.getHeader("Content-Type");
        if (type == null || !type.strip().toLowerCase(java.util.Locale.ROOT).matches("application/json\\s*(;.*)?")) {
            throw ApiException.of(415, "unsupported_media_type", "The request must have the content type application/json");
        }
        Buffer body = Buffer.buffer();
        long timer = vertx.setTimer(config.bodyTimeout().toMillis(), id -> {
            refuseRest(ApiException.of(408, "request_timeout", "The request did not arrive within " + config.bodyTimeout().toMillis() / 1000.0 + " seconds"));
        });
        request.handler(part -> {
            if (body.length() + part.length() > config.maxBodyBytes()) {
                vertx.cancelTimer(timer);
                refuseRest(ApiException.of(413, "request_too_large", "The request has more than the " + config.maxBodyBytes() + " bytes that this server takes"));
            } else {
                body.appendBuffer(part);
            }
        });
        request.exceptionHandler(e -> vertx.cancelTimer(timer));
        request.endHandler(nothing -> {
            vertx.cancelTimer(timer);
            byte[] bytes = body.getBytes();
            vertx.executeBlocking(() -> {
                action.accept(bytes);
                return true;
            }, false).onFailure(this::failed);
        });
    }

    /** Answers before the whole request is there, and takes leave of a client that may go on sending. */
    private void refuseRest(ApiException why) {
        request.handler(rest -> { });
        request.endHandler(nothing -> { });
        response.putHeader("Connection", "close");
        failed(why);
        vertx.setTimer(LINGER_MILLISECONDS, id -> request.connection().close());
    }

    /** What to do when the client is gone before its answer is complete. */
    void whenGone(Runnable action) {
        context.runOnContext(nothing -> {
            if (gone) {
                action.run();
            } else if (!response.ended()) { // it is where the request was refused meanwhile
                response.closeHandler(closed -> {
                    gone = true;
                    action.run();
                });
            }
        });
    }

    void json(int status, ObjectNode json) {
        if (!gone && !response.ended() && !response.headWritten()) {
            response.setStatusCode(status).putHeader("Content-Type", "application/json").end(json.toString());
        }
    }

    /** A file of the page. Nothing of it may come from elsewhere. */
    void page(String name, String type) {
        try (InputStream in = Exchange.class.getResourceAsStream("page/" + name)) {
            response.putHeader("Content-Type", type + "; charset=utf-8").putHeader("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
                    .putHeader("X-Content-Type-Options", "nosniff").putHeader("Cache-Control", "no-cache").end(Buffer.buffer(in.readAllBytes()));
        } catch (IOException e) {
            failed(e);
        }
    }

    void text(String type, String text) {
        response.putHeader("Content-Type", type).end(text);
    }

    /** Tells the client what is wrong with its request; of errors of our own, nothing but that there was one. */
    void failed(Throwable failure) {
        ApiException known = failure instanceof ApiException api ? api : internal(failure);
        if (gone || response.ended()) {
            return;
        }
        if (response.headWritten()) { // in the midst of a stream
            response.write("data: " + error(known) + "\n\n");
            response.end();
            return;
        }
        if (known.status() == 429 || known.status() == 503) {
            response.putHeader("Retry-After", "1");
        }
        json(known.status(), error(known));
    }

    private static ApiException internal(Throwable failure) {
        LOG.error("A request failed", failure);
        return ApiException.of(500, "internal_error", "The server failed; its log says why");
    }

    private static ObjectNode error(ApiException failure) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        ObjectNode error = json.putObject("error").put("message", failure.getMessage())
                .put("type", failure.status() >= 500 ? "server_error" : failure.status() == 429 ? "rate_limit_error" : "invalid_request_error");
        error.set("param", failure.field().<com.fasterxml.jackson.databind.JsonNode>map(JsonNodeFactory.instance::textNode).orElse(NullNode.getInstance()));
        error.put("code", failure.code());
        return json;
    }

    /** Where an answer goes; for the scheduler's thread. */
    Answer.Sink sink() {
        return new Answer.Sink() {
            private boolean begun;

            @Override
            public void event(ObjectNode part) {
                String text = "data: " + part + "\n\n";
                context.runOnContext(nothing -> write(text));
            }

            private void write(String text) {
                if (gone || response.ended()) {
                    return;
                }
                if (!begun) {
                    begun = true;
                    // not no-store: Chromium then calls streams that were read to their end aborted
                    response.setChunked(true).putHeader("Content-Type", "text/event-stream; charset=utf-8").putHeader("Cache-Control", "no-cache");
                }
                response.write(text);
            }

            @Override
            public void endOfStream() {
                context.runOnContext(nothing -> {
                    write("data: [DONE]\n\n");
                    if (!gone && !response.ended()) {
                        response.end();
                    }
                });
            }

            @Override
            public void whole(ObjectNode answer) {
                context.runOnContext(nothing -> json(200, answer));
            }

            @Override
            public void failed(RuntimeException failure) {
                context.runOnContext(nothing -> Exchange.this.failed(failure));
            }
        };
    }
}
