package io.github.bts4j.server;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** Receives an answer as JSON. */
interface AnswerSink {
    /** One event of a stream. */
    void event(ObjectNode part);

    /** Whether the client keeps up; if not, its sequences pause. */
    boolean isReady();

    /** The end of a stream, with the last line that the API sends. */
    void endOfStream(String last);

    /** The whole response. */
    void whole(ObjectNode response);

    /** The response failed. */
    void failed(RuntimeException failure);
}
