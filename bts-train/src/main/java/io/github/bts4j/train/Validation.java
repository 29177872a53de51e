package io.github.bts4j.train;

import io.github.bts4j.train.data.Window;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;

/**
 * How a run is judged on held-out text while it goes on. What counts is the mean of the domains' losses, so that no domain outweighs another by its size;
 * the checkpoint with the best one is kept ({@link RunCheckpoint#best}).
 *
 * @param every steps between validations, at least 1; the last step is always validated
 * @param windows held-out text by domain
 * @param tokenBytes bytes of text that a token stands for, such as {@link io.github.bts4j.train.eval.TokenBytes}, for bits per byte
 * @param batchSize windows per forward pass, at least 1
 * @param patience validations without a better loss after which the run ends early; 0 never ends it
 * @param minDelta by how many nats per token a loss must be lower to be better, not negative
 */
public record Validation(long every, Map<String, List<Window>> windows, IntUnaryOperator tokenBytes, int batchSize, int patience, double minDelta) {
    /**
     * Checks the values.
     *
     * @param every steps between validations
     * @param windows held-out text by domain
     * @param tokenBytes bytes of text that a token stands for
     * @param batchSize windows per forward pass
     * @param patience validations without a better loss after which the run ends early
     * @param minDelta by how many nats a loss must be lower to be better
     * @throws IllegalArgumentException listing every value outside its range, and domains without a window
     */
    public Validation {
        Map<String, List<Window>> copy = new LinkedHashMap<>();
        windows.forEach((domain, list) -> copy.put(domain, List.copyOf(list)));
        windows = java.util.Collections.unmodifiableMap(copy);
        List<String> problems = new ArrayList<>();
        if (every < 1) {
            problems.add("every = " + every + " is below 1");
        }
        if (batchSize < 1) {
            problems.add("batchSize = " + batchSize + " is below 1");
        }
        if (patience < 0) {
            problems.add("patience = " + patience + " is negative; 0 never ends a run early");
        }
        if (!(minDelta >= 0 && minDelta < Double.POSITIVE_INFINITY)) {
            problems.add("minDelta = " + minDelta + " is negative or not a number");
        }
        if (windows.isEmpty()) {
            problems.add("windows has no domain: there is nothing to validate on");
        }
        windows.forEach((domain, list) -> {
            if (list.isEmpty()) {
                problems.add("domain '" + domain + "' has no window");
            }
        });
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException("Validation: " + String.join("; ", problems));
        }
    }

    /**
     * A validation that never ends a run, with eight windows at a time.
     *
     * @param every steps between validations
     * @param windows held-out text by domain
     * @param tokenBytes bytes of text that a token stands for
     * @return the validation
     */
    public static Validation of(long every, Map<String, List<Window>> windows, IntUnaryOperator tokenBytes) {
        return new Validation(every, windows, tokenBytes, 8, 0, 0);
    }

    /**
     * The same with early stopping.
     *
     * @param patience validations without a better loss after which the run ends
     * @param minDelta by how many nats per token a loss must be lower to be better
     * @return a changed copy
     */
    public Validation withEarlyStopping(int patience, double minDelta) {
        return new Validation(every, windows, tokenBytes, batchSize, patience, minDelta);
    }

    /** What must not change when a run is resumed: when it is judged, and on what. */
    String identity() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            windows.forEach((domain, list) -> {
                digest.update(domain.getBytes(StandardCharsets.UTF_8));
                for (Window window : list) {
                    ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * (window.tokens().length + 1)).putInt(window.tokens().length);
                    bytes.asIntBuffer().put(window.tokens());
                    digest.update(bytes.array());
                }
            });
            return "every " + every + ", patience " + patience + ", minDelta " + minDelta + ", windows " + HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java runtime has SHA-256", e);
        }
    }
}
