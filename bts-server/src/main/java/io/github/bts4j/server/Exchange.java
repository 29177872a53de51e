package io.github.bts4j.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.TooLargeException;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One request and its response. Runs on the event loop; calls from other threads are dispatched to it. */
final class Exchange {
    private static final Logger LOG = LoggerFactory.getLogger(Exchange.class);

    /** How long a refused client may take to read the error before the connection is closed. */
    private static final long LINGER_MILLISECONDS = 1000;

    /** How long a client may take to read a response that is not streamed. */
    private static final long UNREAD_MILLISECONDS = 60_000;

    /** How much of a stream may be buffered for the event loop and, besides the system's own buffers, for the client. */
    private static final int MOST_HELD = 256 << 10;

    private final Vertx vertx;
    private final Intake intake;
    private final Context context;
    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final ServerConfig config;
    private final long begin = System.nanoTime();
    private volatile boolean gone; // written on the event loop

    Exchange(Vertx vertx, Intake intake, HttpServerRequest request, ServerConfig config, ServerMetrics metrics) {
        this.vertx = vertx;
        this.intake = intake;
        this.context = vertx.getOrCreateContext();
        this.request = request;
        this.response = request.response();
        this.config = config;
        response.exceptionHandler(e -> { });
        request.exceptionHandler(e -> { });
        response.closeHandler(nothing -> gone = true);
        response.endHandler(nothing -> metrics.request(endpoint(), response.getStatusCode(), (System.nanoTime() - begin) / 1e9));
    }

    /** A known path, or "other", so that clients cannot choose metric names. */
    private String endpoint() {
        return switch (request.path() == null ? "" : request.path()) {
            case "/health", "/metrics", "/v1/models", "/v1/completions", "/v1/chat/completions", "/bts/gates", "/tokenize", "/detokenize", "/" -> request.path();
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

    /** Answers GET, and HEAD with the same headers and no body. */
    void get(Runnable action) {
        if (!request.method().equals(HttpMethod.GET) && !request.method().equals(HttpMethod.HEAD)) {
            throw notAllowed("GET, HEAD");
        }
        action.run();
    }

    private ApiException notAllowed(String methods) {
        response.putHeader("Allow", methods);
        return ApiException.of(405, "method_not_allowed", "This address takes " + methods.replace(", ", " and ") + " requests");
    }

    /** The deadline by {@link System#nanoTime}, counted from the request's arrival. */
    long deadline() {
        return begin + config.timeouts().request().toNanos();
    }

    /** Reads the body within the limits of size and time, and passes it to a worker thread. */
    void post(Consumer<byte[]> action) {
        if (!request.method().equals(HttpMethod.POST)) {
            throw notAllowed("POST");
        }
        String type = request.getHeader("Content-Type");
        if (type == null || !type.strip().toLowerCase(java.util.Locale.ROOT).matches("application/json\\s*(;.*)?")) {
            throw ApiException.of(415, "unsupported_media_type", "The request must have the content type application/json");
        }
        Body body = new Body();
        request.handler(body::add);
        request.exceptionHandler(e -> body.drop());
        request.endHandler(nothing -> body.complete(action));
    }

    /** A request body that is being received. */
    private final class Body {
        private final long timer = vertx.setTimer(config.timeouts().body().toMillis(), id -> refuse(ApiException.of(408, "request_timeout",
                "The request did not arrive within " + config.timeouts().body().toMillis() / 1000.0 + " seconds")));
        private Buffer bytes = Buffer.buffer();

        void add(Buffer part) {
            try {
                if (bytes.length() + part.length() > config.limits().maxBodyBytes()) {
                    throw ApiException.of(413, "request_too_large", "The request body has more than " + config.limits().maxBodyBytes() + " bytes, the limit of this server");
                }
                intake.take(bytes.length(), part.length());
                bytes.appendBuffer(part);
            } catch (ApiException e) {
                refuse(e);
            }
        }

        private void refuse(ApiException why) {
            drop();
            refuseRest(why);
        }

        void drop() {
            vertx.cancelTimer(timer);
            intake.give(bytes.length());
            bytes = Buffer.buffer();
        }

        void complete(Consumer<byte[]> action) {
            vertx.cancelTimer(timer);
            byte[] whole = bytes.getBytes();
            bytes = Buffer.buffer();
            try {
                intake.run(whole.length, () -> process(whole, action));
            } catch (ApiException e) {
                intake.give(whole.length);
                failed(e);
            }
        }

        private void process(byte[] whole, Consumer<byte[]> action) {
            try {
                if (System.nanoTime() - deadline() > 0) {
                    throw ApiException.of(504, "timeout", "The response took longer than this server allows");
                }
                if (!gone) {
                    action.accept(whole);
                }
            } catch (RuntimeException | Error e) {
                context.runOnContext(nothing -> failed(e));
            } finally {
                intake.give(whole.length);
            }
        }
    }

    /** Responds before the whole request has arrived, then disconnects the client, which may still be sending. */
    private void refuseRest(ApiException why) {
        request.handler(rest -> { });
        request.endHandler(nothing -> { });
        response.putHeader("Connection", "close");
        failed(why);
        vertx.setTimer(LINGER_MILLISECONDS, id -> Connections.end(request.connection()));
    }

    /** Sets what to do if the client disconnects before the response is complete. */
    void whenGone(Runnable action) {
        context.runOnContext(nothing -> {
            if (gone) {
                action.run();
            } else if (!response.ended()) { // it has ended if the request was refused in the meantime
                response.closeHandler(closed -> {
                    gone = true;
                    action.run();
                });
            }
        });
    }

    void json(int status, ObjectNode json) {
        if (!gone && !response.ended() && !response.headWritten()) {
            end(response.setStatusCode(status).putHeader("Content-Type", "application/json"), Buffer.buffer(json.toString()));
        }
    }

    /** A response from a worker thread. */
    void answered(ObjectNode json) {
        context.runOnContext(nothing -> json(200, json));
    }

    /** A response that is not streamed; HEAD gets its length only. Closes the connection of a client that does not read it. */
    private void end(HttpServerResponse head, Buffer body) {
        Future<Void> written = head.putHeader("Content-Length", Integer.toString(body.length())).end(body);
        if (!written.isComplete()) {
            long timer = vertx.setTimer(UNREAD_MILLISECONDS, id -> Connections.end(request.connection()));
            written.onComplete(done -> vertx.cancelTimer(timer));
        }
    }

    /** A file of the page. The content security policy forbids content from other hosts. */
    void page(String name, String type) {
        try (InputStream in = Exchange.class.getResourceAsStream("page/" + name)) {
            end(response.putHeader("Content-Type", type + "; charset=utf-8").putHeader("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
                    .putHeader("X-Content-Type-Options", "nosniff").putHeader("Cache-Control", "no-cache"), Buffer.buffer(in.readAllBytes()));
        } catch (IOException e) {
            failed(e);
        }
    }

    void text(String type, String text) {
        end(response.putHeader("Content-Type", type), Buffer.buffer(text));
    }

    /** Sends the error to the client. An internal error is reported without details. */
    void failed(Throwable failure) {
        ApiException known = failure instanceof ApiException api ? api
                : failure instanceof TooLargeException large ? ApiException.of(400, "too_large", large.getMessage()) : internal(failure);
        if (gone || response.ended()) {
            return;
        }
        if (response.headWritten()) { // in the middle of a stream
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
        return ApiException.of(500, "internal_error", "Internal server error: see the server's log");
    }

    private static ObjectNode error(ApiException failure) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        ObjectNode error = json.putObject("error").put("message", failure.getMessage())
                .put("type", failure.status() >= 500 ? "server_error" : failure.status() == 429 ? "rate_limit_error" : "invalid_request_error");
        error.set("param", failure.field().<com.fasterxml.jackson.databind.JsonNode>map(JsonNodeFactory.instance::textNode).orElse(NullNode.getInstance()));
        error.put("code", failure.code());
        return json;
    }

    /** The sink of this exchange; for the scheduler's thread. */
    CompletionResponse.Sink sink() {
        return new EventSink();
    }

    /** Sends the events of a stream or the whole response; called by the thread that generates. */
    private final class EventSink implements CompletionResponse.Sink {
        private final AtomicInteger held = new AtomicInteger(); // characters queued for the event loop
        private volatile boolean full;
        private boolean begun;

        @Override
        public void event(ObjectNode part) {
            String text = "data: " + part + "\n\n";
            held.addAndGet(text.length());
            context.runOnContext(nothing -> {
                write(text);
                held.addAndGet(-text.length());
            });
        }

        @Override
        public boolean isReady() {
            return !full && held.get() < MOST_HELD;
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
            if (!full && response.writeQueueFull()) {
                awaitReader();
            }
        }

        /** Generation pauses until the client has read more; a client that does not read is disconnected. */
        private void awaitReader() {
            full = true;
            long timer = vertx.setTimer(config.timeouts().body().toMillis(), id -> Connections.end(request.connection()));
            response.drainHandler(nothing -> {
                vertx.cancelTimer(timer);
                full = false;
            });
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
        public void whole(ObjectNode response) {
            context.runOnContext(nothing -> json(200, response));
        }

        @Override
        public void failed(RuntimeException failure) {
            context.runOnContext(nothing -> Exchange.this.failed(failure));
        }
    }
}
