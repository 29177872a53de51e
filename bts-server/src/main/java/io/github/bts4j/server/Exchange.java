package io.github.bts4j.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.util.function.Consumer;

/** One request and its response. Runs on the event loop; calls from other threads are dispatched to it. */
final class Exchange {
    /** How long a refused client may take to read the error before the connection is closed. */
    private static final long LINGER_MILLISECONDS = 1000;

    /** How long a client may take to read a response that is not streamed. */
    private static final long UNREAD_MILLISECONDS = 60_000;

    /** The status in the audit log of a request whose client has disconnected. */
    private static final int CLIENT_GONE = 499;

    private final Vertx vertx;
    private final Intake intake;
    private final Context context;
    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final ServerConfig config;
    private final long begin = System.nanoTime();
    private final Account account;
    private final AuditLog audit;
    private Runnable whenGone = () -> { };
    private Runnable atEnd = () -> { };
    private boolean finished;
    private volatile boolean gone; // written on the event loop
    private volatile boolean unread; // written on the event loop

    Exchange(Vertx vertx, Intake intake, HttpServerRequest request, ServerConfig config, ServerMetrics metrics) {
        this.vertx = vertx;
        this.intake = intake;
        this.context = vertx.getOrCreateContext();
        this.request = request;
        this.response = request.response();
        this.config = config;
        response.exceptionHandler(e -> { });
        request.exceptionHandler(e -> { });
        this.account = new Account(endpoint(), metrics);
        this.audit = new AuditLog(config.observation().audit());
        response.closeHandler(nothing -> {
            gone = true;
            finished(CLIENT_GONE);
            whenGone.run();
        });
        response.endHandler(nothing -> {
            metrics.request(endpoint(), response.getStatusCode(), seconds());
            finished(response.getStatusCode());
        });
    }

    private double seconds() {
        return (System.nanoTime() - begin) / 1e9;
    }

    /** Once, at the end of the response or when the client has disconnected. */
    private void finished(int status) {
        if (!finished) {
            finished = true;
            atEnd.run();
            if (request.method().equals(HttpMethod.POST)) {
                audit.write(account, status, seconds());
            }
        }
    }

    /** What the request has used so far. */
    Account account() {
        return account;
    }

    /** A known path, or "other", so that clients cannot choose metric names. */
    private String endpoint() {
        return switch (request.path() == null ? "" : request.path()) {
            case "/health", "/metrics", "/v1/models", "/v1/completions", "/v1/chat/completions", "/v1/embeddings", "/v1/responses", "/bts/gates", "/tokenize", "/detokenize", "/" -> request.path();
            default -> "other";
        };
    }

    /** Checks the API key. */
    Exchange authorized(Clients clients) {
        account.client(clients.of(request));
        return this;
    }

    private void enter() {
        Client client = account.client();
        client.enter();
        atEnd = client::leave;
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
        enter();
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
            whenGone = action;
            if (gone) {
                action.run();
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
        ApiException known = ApiException.known(failure);
        account.failed(known);
        if (gone || response.ended()) {
            return;
        }
        if (response.headWritten()) { // in the middle of a stream
            response.write("data: " + error(known) + "\n\n");
            response.end();
            return;
        }
        if (known.retryAfter() > 0) {
            response.putHeader("Retry-After", Long.toString(known.retryAfter()));
        }
        json(known.status(), error(known));
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
    AnswerSink sink() {
        return new EventSink(this, context);
    }

    /** Sends a part of a stream. */
    void write(String text) {
        if (gone || response.ended()) {
            return;
        }
        if (!response.headWritten()) {
            // not no-store: Chromium then calls streams that were read to their end aborted
            response.setChunked(true).putHeader("Content-Type", "text/event-stream; charset=utf-8").putHeader("Cache-Control", "no-cache");
        }
        response.write(text);
        if (!unread && response.writeQueueFull()) {
            awaitReader();
        }
    }

    /** Generation pauses until the client has read more; a client that does not read is disconnected. */
    private void awaitReader() {
        unread = true;
        long timer = vertx.setTimer(config.timeouts().body().toMillis(), id -> Connections.end(request.connection()));
        response.drainHandler(nothing -> {
            vertx.cancelTimer(timer);
            unread = false;
        });
    }

    /** Whether the client has not read what was sent. Thread-safe. */
    boolean isUnread() {
        return unread;
    }

    /** Ends a stream. */
    void end() {
        if (!gone && !response.ended()) {
            response.end();
        }
    }
}
