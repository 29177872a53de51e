package io.github.bts4j.core.rows;

import java.util.Optional;
import java.util.ServiceLoader;
import org.slf4j.LoggerFactory;

/** Finds the implementation of {@link Arithmetic} once. */
final class AvailableArithmetic {
    static final Optional<Arithmetic> FOUND = find();

    private AvailableArithmetic() {
    }

    private static Optional<Arithmetic> find() {
        String choice = System.getProperty("bts4j.decode", "vector");
        return switch (choice) {
            case "vector" -> vector();
            case "scalar" -> Optional.of(new ScalarArithmetic());
            case "torch" -> Optional.empty();
            default -> throw new IllegalArgumentException("-Dbts4j.decode=" + choice + " must be one of 'vector', 'scalar' and 'torch'");
        };
    }

    private static Optional<Arithmetic> vector() {
        Optional<Arithmetic> found = ServiceLoader.load(Arithmetic.class, Arithmetic.class.getClassLoader()).stream()
                .map(ServiceLoader.Provider::get).filter(Arithmetic::isUsable).findFirst();
        found.ifPresent(math -> LoggerFactory.getLogger(Arithmetic.class).debug("Tokens are decoded by {}", math.getClass().getName()));
        return found;
    }
}
