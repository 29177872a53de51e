package io.github.bts4j.server;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * Closes connections on which no request arrives in time. A time-out for silence does not: a client that sends its headers a byte at a time is never silent.
 * For the event loop, of which the server has one.
 */
final class Connections {
    private final Vertx vertx;
    private final Duration first;
    private final Duration next;
    private final Map<HttpConnection, Long> timers = new HashMap<>();

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
        connection.closeHandler(nothing -> stopWaiting(connection));
        await(connection, first);
    }

    /** The headers of a request are there: what it takes from here on has limits of its own. */
    void arrived(HttpServerRequest request) {
        HttpConnection connection = request.connection();
        stopWaiting(connection);
        request.response().bodyEndHandler(nothing -> await(connection, next));
    }

    private void await(HttpConnection connection, Duration limit) {
        timers.put(connection, vertx.setTimer(limit.toMillis(), id -> connection.close()));
    }

    private void stopWaiting(HttpConnection connection) {
        Long timer = timers.remove(connection);
        if (timer != null) {
            vertx.cancelTimer(timer);
        }
    }
}
