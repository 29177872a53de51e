package io.github.bts4j.train;

import io.github.bts4j.core.support.Hashes;
import io.github.bts4j.core.support.Problems;
import io.github.bts4j.train.data.Window;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;

/**
 * Validation of a run on held-out text. Its loss is the mean of the domains' losses, so that large domains do not dominate;
 * the checkpoint with the lowest one is kept ({@link RunCheckpoint#best}).
 *
 * @param every steps between validations, at least 1; the last step is always validated
 * @param windows held-out text by domain
 * @param tokenBytes bytes of text per token, such as {@link io.github.bts4j.train.eval.TokenBytes}, for bits per byte
 * @param batchSize windows per forward pass, at least 1
 * @param patience validations without improvement after which the run stops; 0 for never
 * @param minDelta improvement in nats per token that counts, not negative
 */
public record Validation(long every, Map<String, List<Window>> windows, IntUnaryOperator tokenBytes, int batchSize, int patience, double minDelta) {
    /**
     * Checks the values.
     *
     * @param every steps between validations
     * @param windows held-out text by domain
     * @param tokenBytes bytes of text per token
     * @param batchSize windows per forward pass
     * @param patience validations without improvement after which the run stops
     * @param minDelta improvement in nats per token that counts
     * @throws IllegalArgumentException listing every value outside its range, and domains without a window
     */
    public Validation {
        Map<String, List<Window>> copy = new LinkedHashMap<>();
        windows.forEach((domain, list) -> copy.put(domain, List.copyOf(list)));
        windows = java.util.Collections.unmodifiableMap(copy);
        Problems problems = new Problems();
        problems.addIf(every < 1, "every = " + every + " is below 1");
        problems.addIf(batchSize < 1, "batchSize = " + batchSize + " is below 1");
        problems.addIf(patience < 0, "patience = " + patience + " is negative; 0 turns early stopping off");
        problems.addIf(!(minDelta >= 0 && minDelta < Double.POSITIVE_INFINITY), "minDelta = " + minDelta + " is negative or not a number");
        problems.addIf(windows.isEmpty(), "windows has no domain: there is nothing to validate on");
        windows.forEach((domain, list) -> {
            problems.addIf(list.isEmpty(), "domain '" + domain + "' has no window");
        });
        problems.throwInOneLine("Validation: ");
    }

    /**
     * A validation without early stopping, with eight windows at a time.
     *
     * @param every steps between validations
     * @param windows held-out text by domain
     * @param tokenBytes bytes of text per token
     * @return the validation
     */
    public static Validation of(long every, Map<String, List<Window>> windows, IntUnaryOperator tokenBytes) {
        return new Validation(every, windows, tokenBytes, 8, 0, 0);
    }

    /**
     * A copy with early stopping.
     *
     * @param patience validations without improvement after which the run stops
     * @param minDelta improvement in nats per token that counts
     * @return the copy
     */
    public Validation withEarlyStopping(int patience, double minDelta) {
        return new Validation(every, windows, tokenBytes, batchSize, patience, minDelta);
    }

    /** The values that must not change when a run is resumed: when it is validated, and on which text. */
    String identity() {
        MessageDigest digest = Hashes.sha256();
        windows.forEach((domain, list) -> {
            digest.update(domain.getBytes(StandardCharsets.UTF_8));
            for (Window window : list) {
                ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * (window.tokens().length + 1)).putInt(window.tokens().length);
                bytes.asIntBuffer().put(window.tokens());
                digest.update(bytes.array());
                for (boolean counts : window.counted()) {
                    digest.update((byte) (counts ? 1 : 0));
                }
            }
        });
        return "every " + every + ", patience " + patience + ", minDelta " + minDelta + ", windows " + Hashes.hex(digest);
    }
}
