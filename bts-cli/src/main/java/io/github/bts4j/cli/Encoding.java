package io.github.bts4j.cli;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.MismatchException;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.cluster.Cluster;
import io.github.bts4j.train.data.ChatEncoder;
import io.github.bts4j.train.data.Document;
import io.github.bts4j.train.data.DocumentsEncoder;
import io.github.bts4j.train.data.TokenEncoder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How texts become tokens, in any process that has the tokenizer.
 *
 * @param model folder or file with the tokenizer
 * @param tokenizer the tokenizer's SHA-256
 * @param end the token after each document, or {@link #NONE}
 * @param chat whether the documents are conversations
 * @param template the chat template; empty for the model's own
 */
record Encoding(String model, String tokenizer, int end, boolean chat, String template) implements Cluster.Task<ArrayList<Document>, ArrayList<int[]>> {
    static final int NONE = -1;

    /** The tokenizers that tasks in this process encode with: each is opened once, and stays open until the process ends. */
    private static final Map<Opened, LlamaTokenizer> OPEN = new ConcurrentHashMap<>();

    private record Opened(Path from, String sha256) {}

    /** The encoder with a tokenizer that is open. */
    TokenEncoder encoder(LlamaTokenizer tokenizer, Path from) throws IOException {
        if (!chat) {
            return end == NONE ? TokenEncoder.of(tokenizer) : TokenEncoder.of(tokenizer).endingWith(end);
        }
        if (!template.isEmpty()) {
            return new ChatEncoder(ChatTemplate.of(from, template), tokenizer);
        }
        try {
            return new ChatEncoder(ChatTemplate.of(from), tokenizer);
        } catch (IllegalArgumentException e) { // it has none
            throw new IllegalArgumentException("The data are conversations, and " + from + " has no chat template to render them by: --chat-template gives one; --format jsonl reads them as text", e);
        }
    }

    @Override
    public ArrayList<int[]> of(ArrayList<Document> documents, Cluster.Place place) throws IOException {
        Path from = place.find(model);
        LlamaTokenizer open = OPEN.computeIfAbsent(new Opened(from, tokenizer), any -> LlamaTokenizer.open(from));
        throwIf(!open.sha256().equals(tokenizer), () -> new MismatchException("The tokenizer in " + from + " is not the one that the first process has opened (SHA-256 " + open.sha256()
                + ", there " + tokenizer + "): did it change meanwhile, or is there another folder of this name?"));
        return new ArrayList<>(DocumentsEncoder.of(encoder(open, from)).encode(documents));
    }
}
