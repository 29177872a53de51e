package io.github.bts4j.core.torch;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.List;

/**
 * A list of values of one type, such as {@code List[List[Tensor]]}.
 *
 * @param <T> their type
 */
@SuppressWarnings("UnusedTypeParameter") // for the compiler alone
public final class TorchList<T extends TorchValue> extends TorchValue {
    private TorchList(long handle) {
        super(handle);
    }

    /**
     * A list of values.
     *
     * @param <T> their type
     * @param values the values, at least one; they may be closed afterwards
     * @return the list
     */
    public static <T extends TorchValue> TorchList<T> of(List<T> values) {
        throwIf(values.isEmpty(), () -> new IllegalArgumentException("A list of lists needs at least one inner list: its type is otherwise unknown"));
        return new TorchList<>(Natives.ofValues(values.stream().mapToLong(TorchValue::handle).toArray()));
    }
}
