package io.github.bts4j.core.checkpoint.gguf;

import io.github.bts4j.core.checkpoint.ModelFormatException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The keys and values of a GGUF file. Integers are held as {@link Long} (above 2^63 - 1 as their two's complement), floating point numbers as
 * {@link Double}, the others as {@link Boolean}, {@link String} and {@link List}. A float32 becomes the double of the same shortest decimal, so that
 * 1e-5 is 1e-5. Immutable.
 */
public final class GgufMetadata {
    private final Path file;
    private final Map<String, Object> values;

    GgufMetadata(Path file, Map<String, Object> values) {
        this.file = file;
        this.values = Collections.unmodifiableMap(values);
    }

    /** {@return the keys in the file's order, not modifiable} */
    public Set<String> keys() {
        return values.keySet();
    }

    /**
     * Any value.
     *
     * @param key the key
     * @return its value, or empty
     */
    public Optional<Object> get(String key) {
        return Optional.ofNullable(values.get(key));
    }

    /**
     * A text.
     *
     * @param key the key
     * @return its value, or empty where the key is absent
     * @throws ModelFormatException if the value is not a text
     */
    public Optional<String> text(String key) {
        return get(key).map(value -> value instanceof String text ? text : refuse(key, value, "a text"));
    }

    /**
     * An integer of 32 bits.
     *
     * @param key the key
     * @return its value, or empty where the key is absent
     * @throws ModelFormatException if the value is not such an integer
     */
    public OptionalInt integer(String key) {
        Object value = values.get(key);
        if (value == null) {
            return OptionalInt.empty();
        }
        return value instanceof Long number && number == number.intValue() ? OptionalInt.of(number.intValue()) : refuse(key, value, "an integer of 32 bits");
    }

    /**
     * A number.
     *
     * @param key the key
     * @return its value, or empty where the key is absent
     * @throws ModelFormatException if the value is not a number
     */
    public OptionalDouble number(String key) {
        Object value = values.get(key);
        if (value == null) {
            return OptionalDouble.empty();
        }
        return value instanceof Number number ? OptionalDouble.of(number.doubleValue()) : refuse(key, value, "a number");
    }

    /**
     * A boolean.
     *
     * @param key the key
     * @return its value, or empty where the key is absent
     * @throws ModelFormatException if the value is not true or false
     */
    public Optional<Boolean> flag(String key) {
        return get(key).map(value -> value instanceof Boolean flag ? flag : refuse(key, value, "true or false"));
    }

    /**
     * A list whose elements are of one class.
     *
     * @param <T> the class
     * @param key the key
     * @param element the class: {@link String}, {@link Long}, {@link Double} or {@link Boolean}
     * @return the elements, or empty where the key is absent
     * @throws ModelFormatException if the value is not such a list
     */
    @SuppressWarnings("unchecked") // every element is looked at
    public <T> Optional<List<T>> list(String key, Class<T> element) {
        return get(key).map(value -> value instanceof List<?> list && list.stream().allMatch(element::isInstance)
                ? (List<T>) list : refuse(key, value, "a list of " + element.getSimpleName()));
    }

    /**
     * The exception for a required value that is absent.
     *
     * @param key the key
     * @return the exception
     */
    public Supplier<ModelFormatException> missing(String key) {
        return () -> new ModelFormatException(file, "metadata has no '" + key + "', without which the model is not defined");
    }

    /**
     * A required integer.
     *
     * @param key the key
     * @return its value
     * @throws ModelFormatException if it is absent or not an integer
     */
    public int requiredInteger(String key) {
        return integer(key).orElseThrow(missing(key));
    }

    @SuppressWarnings("TypeParameterUnusedInFormals") // it returns nothing
    private <T> T refuse(String key, Object value, String expected) {
        String shown = value instanceof List<?> list ? "a list of " + list.size() : value.toString();
        throw new ModelFormatException(file, "metadata '" + key + "' = " + shown.substring(0, Math.min(shown.length(), 80)) + ": expected " + expected);
    }
}
