package io.github.bts4j.core.rows;

import java.util.Optional;
import java.util.ServiceLoader;
import org.slf4j.LoggerFactory;

/** Finds the implementation of {@link RowMath} once. */
final class AvailableRowMath {
    static final Optional<RowMath> FOUND = find();

    private AvailableRowMath() {
    }

    private static Optional<RowMath> find() {
        String choice = System.getProperty("bts4j.decode", "vector");
        if (!choice.equals("vector") && !choice.equals("torch")) {
            throw new IllegalArgumentException("-Dbts4j.decode=" + choice + " is neither 'vector' nor 'torch'");
        }
        if (choice.equals("torch")) {
            return Optional.empty();
        }
        Optional<RowMath> found = ServiceLoader.load(RowMath.class, RowMath.class.getClassLoader()).stream()
                .map(ServiceLoader.Provider::get).filter(RowMath::isUsable).findFirst();
        found.ifPresent(math -> LoggerFactory.getLogger(RowMath.class).debug("Tokens are decoded by {}", math.getClass().getName()));
        return found;
    }
}
