package io.github.bts4j.server;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.impl.HttpServerConnection;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Closes connections on which no request arrives in time. A time-out for silence does not: a client that sends its headers a byte at a time is never silent.
 * For the event loop, of which the server has one.
 */
final class Connections {
    private static final Long NONE = -1L;

    private final Vertx vertx;
    private final Duration first;
    private final Duration next;
    private final Map<HttpConnection, Long> timers = new ConcurrentHashMap<>(); // of every open connection

    /**
     * Watches nothing yet.
     *
     * @param vertx whose event loop counts the time
     * @param first how long the headers of a connection's first request may take
     * @param next how long after an answer those of the next request may take
     */
    Connections(Vertx vertx, Duration first, Duration next) {
        this.vertx = vertx;
        this.first = first;
        this.next = next;
    }

    void opened(HttpConnection connection) {
        timers.put(connection, NONE);
        connection.closeHandler(nothing -> cancel(timers.remove(connection)));
        await(connection, first);
    }

    /** How many connections are open; for any thread. */
    int count() {
        return timers.size();
    }

    /** The headers of a request are there: what it takes from here on has limits of its own. */
    void arrived(HttpServerRequest request) {
        HttpConnection connection = request.connection();
        cancel(timers.replace(connection, NONE));
        request.response().bodyEndHandler(nothing -> await(connection, next));
    }

    private void await(HttpConnection connection, Duration limit) {
        timers.computeIfPresent(connection, (open, none) -> vertx.setTimer(limit.toMillis(), id -> end(connection))); // it may be closed by now
    }

    /** Closes a connection at once; Vert.x itself would first wait until the client has read what is there for it. On the event loop. */
    @SuppressWarnings("FutureReturnValueIgnored") // nobody is left to be told
    static void end(HttpConnection connection) {
        ((HttpServerConnection) connection).channelHandlerContext().close();
    }

    private void cancel(Long timer) {
        if (timer != null && !timer.equals(NONE)) {
            vertx.cancelTimer(timer);
        }
    }
}
