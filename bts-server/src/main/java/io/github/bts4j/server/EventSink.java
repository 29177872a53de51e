package io.github.bts4j.server;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.vertx.core.Context;
import java.util.concurrent.atomic.AtomicInteger;

/** Sends the events of a stream or the whole response; called by the thread that generates, and dispatched to the event loop. */
final class EventSink implements AnswerSink {
    /** How much of a stream may be queued for the event loop and, besides the system's own buffers, for the client. */
    private static final int MOST_HELD = 256 << 10;

    private final Exchange exchange;
    private final Context context;
    private final AtomicInteger held = new AtomicInteger(); // characters queued for the event loop

    EventSink(Exchange exchange, Context context) {
        this.exchange = exchange;
        this.context = context;
    }

    /** An event; one that has a type, as in OpenAI's Responses API, also has its name. */
    @Override
    public void event(ObjectNode part) {
        send((part.has("type") ? "event: " + part.get("type").asText() + "\n" : "") + "data: " + part + "\n\n");
    }

    private void send(String text) {
        held.addAndGet(text.length());
        context.runOnContext(nothing -> {
            exchange.write(text);
            held.addAndGet(-text.length());
        });
    }

    @Override
    public boolean isReady() {
        return !exchange.isUnread() && held.get() < MOST_HELD;
    }

    @Override
    public void endOfStream(String last) {
        send(last);
        context.runOnContext(nothing -> exchange.end());
    }

    @Override
    public void whole(ObjectNode response) {
        exchange.answered(response);
    }

    @Override
    public void failed(RuntimeException failure) {
        context.runOnContext(nothing -> exchange.failed(failure));
    }
}
