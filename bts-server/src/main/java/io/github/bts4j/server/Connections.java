package io.github.bts4j.server;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.impl.HttpServerConnection;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Closes connections on which no request arrives in time. An idle time-out is not enough: a client that sends its headers byte by byte is never idle.
 * To be used on the server's one event loop.
 */
final class Connections {
    private static final Long NONE = -1L;

    private final Vertx vertx;
    private final Duration first;
    private final Duration next;
    private final Map<HttpConnection, Long> timers = new ConcurrentHashMap<>(); // of every open connection

    /**
     * Creates it without connections.
     *
     * @param vertx runs the timers
     * @param first time limit for the headers of a connection's first request
     * @param next time limit, after a response, for the headers of the next request
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

    /** The number of open connections. Thread-safe. */
    int count() {
        return timers.size();
    }

    /** The headers of a request have arrived: other limits apply from here on. */
    void arrived(HttpServerRequest request) {
        HttpConnection connection = request.connection();
        cancel(timers.replace(connection, NONE));
        request.response().bodyEndHandler(nothing -> await(connection, next));
    }

    private void await(HttpConnection connection, Duration limit) {
        timers.computeIfPresent(connection, (open, none) -> vertx.setTimer(limit.toMillis(), id -> end(connection))); // it may have been closed
    }

    /** Closes a connection at once, on the event loop; Vert.x itself would first wait until the client has read what was sent. */
    @SuppressWarnings("FutureReturnValueIgnored") // nothing depends on the result
    static void end(HttpConnection connection) {
        ((HttpServerConnection) connection).channelHandlerContext().close();
    }

    private void cancel(Long timer) {
        if (timer != null && !timer.equals(NONE)) {
            vertx.cancelTimer(timer);
        }
    }
}
