package io.github.bts4j.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.generate.TokenLogProb;
import io.github.bts4j.core.tokenizer.IncrementalDecoder;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The log-probabilities of one choice in OpenAI's format. The names of ordinary tokens add up to the text, and so do the bytes of all tokens that are not special.
 * {@code text_offset} counts the text's characters (Unicode code points) before a token. Special tokens do not count, and the tokens of one character
 * all have its offset.
 */
final class LogProbs {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final double LEAST = -9999; // "signifies that the token is very unlikely", and JSON has no infinity

    private final LlamaTokenizer tokenizer;
    private final boolean chat;
    private final Deque<Entry> entries = new ArrayDeque<>(); // not taken yet
    private IncrementalDecoder decoder;
    private boolean begun; // whether there is text
    private int characters;

    /** A token; its text is a range of the whole text, as far as its characters are complete. */
    private record Entry(int token, TokenText text, float logProb, List<TokenLogProb> alternatives, int offset, int end) {}

    /**
     * Starts empty.
     *
     * @param echo whether the text begins with the prompt's tokens
     */
    LogProbs(LlamaTokenizer tokenizer, boolean chat, boolean echo) {
        this.tokenizer = tokenizer;
        this.chat = chat;
        this.begun = !echo;
        this.decoder = echo ? tokenizer.incrementalDecoder(true) : tokenizer.continuationDecoder(true);
    }

    /** Adds a token; the log-probability is NaN for the first token of a prompt. */
    void add(int token, float logProb, List<TokenLogProb> alternatives) {
        TokenText text = TokenText.of(tokenizer, token, chat);
        String certain = decoder.push(token);
        if (!begun && !text.special() && text.name().equals(" " + certain)) {
            text = text.withoutSpace();
        }
        begun |= !text.special();
        int offset = characters;
        characters += certain.codePointCount(0, certain.length());
        entries.add(new Entry(token, text, logProb, alternatives, offset, characters));
    }

    /** The tokens that follow are generated. */
    void endOfPrompt() {
        String rest = decoder.flush();
        characters += rest.codePointCount(0, rest.length());
        decoder = tokenizer.continuationDecoder(true);
        begun = true;
    }

    boolean isEmpty() {
        return entries.isEmpty();
    }

    /** Takes all entries, in the format of completions. */
    ObjectNode takeCompletion() {
        ObjectNode json = JSON.objectNode();
        ArrayNode names = json.putArray("tokens");
        ArrayNode values = json.putArray("token_logprobs");
        ArrayNode tops = json.putArray("top_logprobs");
        ArrayNode offsets = json.putArray("text_offset");
        for (Entry entry : entries) {
            names.add(entry.text.name());
            offsets.add(entry.offset);
            if (Float.isNaN(entry.logProb)) {
                values.addNull();
                tops.addNull();
            } else {
                values.add(value(entry.logProb));
                tops.add(alternatives(entry));
            }
        }
        entries.clear();
        return json;
    }

    /** The most likely tokens and the chosen one. Names shared by several tokens, such as a letter and its byte token, are made unique by spelling and id. */
    private ObjectNode alternatives(Entry entry) {
        Map<String, Double> top = new LinkedHashMap<>();
        top.put(entry.text.name(), value(entry.logProb));
        for (TokenLogProb other : entry.alternatives) {
            if (other.id() != entry.token) {
                String name = TokenText.of(tokenizer, other.id(), chat).name();
                name = name.isEmpty() || top.containsKey(name) ? spelling(other.id()) : name;
                top.put(top.containsKey(name) ? "token_id:" + other.id() : name, value(other.logProb()));
            }
        }
        ObjectNode json = JSON.objectNode();
        top.forEach(json::put);
        return json;
    }

    /** An id within the range may have no token: embedding matrices can have more rows than the vocabulary has tokens. */
    private String spelling(int id) {
        return tokenizer.bytes(id).length == 0 ? "token_id:" + id : tokenizer.token(id);
    }

    /**
     * Takes the entries whose text has been sent, in the format of chats.
     *
     * @param shown number of characters sent
     */
    ObjectNode takeChat(int shown) {
        ObjectNode json = JSON.objectNode();
        ArrayNode content = json.putArray("content");
        while (!entries.isEmpty() && (entries.peek().offset < shown || entries.peek().end <= shown)) {
            Entry entry = entries.poll();
            ObjectNode node = entry(entry.text, entry.logProb);
            ArrayNode top = node.putArray("top_logprobs");
            entry.alternatives.forEach(other -> top.add(entry(TokenText.of(tokenizer, other.id(), chat), other.logProb())));
            content.add(node);
        }
        json.putNull("refusal");
        return json;
    }

    private static ObjectNode entry(TokenText text, float logProb) {
        ObjectNode node = JSON.objectNode().put("token", text.name()).put("logprob", value(logProb));
        if (text.special()) {
            return node.putNull("bytes");
        }
        ArrayNode bytes = node.putArray("bytes");
        for (byte each : text.bytes()) {
            bytes.add(each & 0xFF);
        }
        return node;
    }

    private static double value(float logProb) {
        return Math.max(LEAST, Double.parseDouble(Float.toString(logProb))); // the shortest decimal number
    }
}
