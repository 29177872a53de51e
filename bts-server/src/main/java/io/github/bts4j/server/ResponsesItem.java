package io.github.bts4j.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.UUID;

/** One item of an answer of the Responses API: a message of one text, or a call of a tool. */
final class ResponsesItem {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final int CALL_ID = 9; // Mistral's templates accept no other length

    private final int index;
    private final String id;
    private final String callId;
    private final String name;
    private final StringBuilder text = new StringBuilder();
    private final ArrayNode logprobs = JSON.arrayNode();
    private String status = "in_progress";

    private ResponsesItem(int index, String prefix, String name) {
        this.index = index;
        this.id = prefix + random();
        this.callId = random().substring(0, CALL_ID);
        this.name = name;
    }

    static String random() {
        return UUID.randomUUID().toString().replace("-", "");
    }

    static ResponsesItem message(int index) {
        return new ResponsesItem(index, "msg_", "");
    }

    static ResponsesItem call(int index, String name) {
        return new ResponsesItem(index, "fc_", name);
    }

    boolean isMessage() {
        return name.isEmpty();
    }

    int index() {
        return index;
    }

    String name() {
        return name;
    }

    /** The message's text, or the call's arguments. */
    String text() {
        return text.toString();
    }

    ArrayNode logprobs() {
        return logprobs.deepCopy();
    }

    void append(String piece) {
        text.append(piece);
    }

    void append(ArrayNode values) {
        logprobs.addAll(values);
    }

    void end(String how) {
        status = how;
    }

    /** An event about the item. */
    ObjectNode about(String type) {
        return JSON.objectNode().put("type", type).put("item_id", id).put("output_index", index);
    }

    /** An event about its only part. */
    ObjectNode part(String type) {
        return about(type).put("content_index", 0);
    }

    static ObjectNode emptyPart() {
        ObjectNode part = JSON.objectNode().put("type", "output_text").put("text", "");
        part.putArray("annotations");
        part.putArray("logprobs");
        return part;
    }

    ObjectNode wholePart() {
        return emptyPart().put("text", text()).set("logprobs", logprobs());
    }

    /** The item at its beginning. */
    ObjectNode begun() {
        ObjectNode item = head();
        return isMessage() ? item.set("content", JSON.arrayNode()) : item.put("arguments", "");
    }

    ObjectNode whole() {
        ObjectNode item = head();
        return isMessage() ? item.set("content", JSON.arrayNode().add(wholePart())) : item.put("arguments", text());
    }

    private ObjectNode head() {
        ObjectNode item = JSON.objectNode().put("id", id).put("type", isMessage() ? "message" : "function_call").put("status", status);
        return isMessage() ? item.put("role", "assistant") : item.put("call_id", callId).put("name", name);
    }
}
