package io.github.bts4j.train.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntUnaryOperator;

/**
 * A window of held-out text for evaluation: the first token is only context, all others are predicted.
 *
 * @param domain name of the domain
 * @param tokens token ids, two or more; not copied, so equality is that of the array object
 * @param segments source of the tokens, in order: one segment, or several in text that switches domains
 * @param counted for each token whether its prediction counts; of a conversation, the assistant's tokens. Empty if all count
 */
public record Window(String domain, int[] tokens, List<Segment> segments, boolean[] counted) {
    /** Windows of documents are padded to a multiple of this, so that many have one length. */
    private static final int STEP = 32;

    /**
     * Checks the values.
     *
     * @param domain name of the domain
     * @param tokens token ids
     * @param segments source of the tokens
     * @param counted for each token whether its prediction counts
     * @throws IllegalArgumentException if there are fewer than two tokens, or {@code counted} has another length than none or theirs
     */
    public Window {
        Objects.requireNonNull(domain, "domain");
        segments = List.copyOf(segments);
        if (tokens.length < 2) {
            throw new IllegalArgumentException(
                    "Window of domain '" + domain + "' has " + tokens.length + " token(s), prediction needs 2");
        }
        if (counted.length > 0 && counted.length != tokens.length) {
            throw new IllegalArgumentException("Window of domain '" + domain + "' has " + tokens.length + " tokens and " + counted.length + " marks of what counts");
        }
    }

    /**
     * A window of which every prediction counts.
     *
     * @param domain name of the domain
     * @param tokens token ids
     * @param segments source of the tokens
     * @throws IllegalArgumentException if there are fewer than two tokens
     */
    public Window(String domain, int[] tokens, List<Segment> segments) {
        this(domain, tokens, segments, new boolean[0]);
    }

    /** One document, with padding behind it that nothing counts and, since attention is causal, nothing sees. */
    static Window ofDocument(String domain, Segment document, int longest) {
        int length = Math.min(longest, (document.length() + STEP - 1) / STEP * STEP);
        int[] tokens = new int[length];
        document.copyRaw(tokens, 0);
        boolean[] counted = new boolean[length];
        for (int t = 0; t < document.length(); t++) {
            counted[t] = t > 0 && tokens[t] >= 0;
            tokens[t] = tokens[t] < 0 ? ~tokens[t] : tokens[t];
        }
        return new Window(domain, tokens, List.of(document), counted);
    }

    /**
     * Whether a prediction counts.
     *
     * @param position number of the predicted token, from 1
     * @return true if its loss is part of the window's
     */
    public boolean counts(int position) {
        return counted.length == 0 || counted[position];
    }

    /** Reads the tokens of segments. */
    static Window of(String domain, List<Segment> segments) {
        int[] tokens = new int[segments.stream().mapToInt(Segment::length).sum()];
        int at = 0;
        for (Segment segment : segments) {
            segment.copyTo(tokens, at);
            at += segment.length();
        }
        return new Window(domain, tokens, segments);
    }

    /**
     * Groups windows of equal length into batches for one pass of a model.
     *
     * @param windows the windows
     * @param most windows of a batch, at least 1
     * @return indices of windows, each exactly once
     * @throws IllegalArgumentException if {@code most} is below 1
     */
    public static List<List<Integer>> batches(List<Window> windows, int most) {
        if (most < 1) {
            throw new IllegalArgumentException("most = " + most + ": a batch has at least 1 window");
        }
        Map<Integer, List<Integer>> byLength = new LinkedHashMap<>();
        for (int i = 0; i < windows.size(); i++) {
            byLength.computeIfAbsent(windows.get(i).tokens().length, length -> new ArrayList<>()).add(i);
        }
        List<List<Integer>> batches = new ArrayList<>();
        for (List<Integer> same : byLength.values()) {
            for (int at = 0; at < same.size(); at += most) {
                batches.add(same.subList(at, Math.min(same.size(), at + most)));
            }
        }
        return batches;
    }

    /** {@return the token ids that a model needs to read, without the padding after a conversation} */
    public int[] unpadded() {
        return counted.length == 0 || segments.isEmpty() ? tokens : Arrays.copyOf(tokens, segments.stream().mapToInt(Segment::length).sum());
    }

    /** {@return the number of tokens that are predicted, whether they count or not: one fewer than there are tokens} */
    public int predicted() {
        return tokens.length - 1;
    }

    /**
     * The number of bytes of the predicted tokens, for bits per byte:
     * {@code bitsPerByte = sum of losses in nats / (ln 2 * bytes)}.
     *
     * @param byteLength bytes of UTF-8 per token id, 0 for a special token
     * @return bytes of the predicted tokens
     */
    public long bytes(IntUnaryOperator byteLength) {
        long bytes = 0;
        for (int i = 1; i < tokens.length; i++) {
            bytes += counts(i) ? byteLength.applyAsInt(tokens[i]) : 0;
        }
        return bytes;
    }
}
