package io.github.bts4j.train.data;

import java.util.AbstractList;
import java.util.Objects;
import java.util.RandomAccess;
import java.util.function.IntFunction;

/** Windows that are copied from their datasets on demand. */
final class WindowList extends AbstractList<Window> implements RandomAccess {

    private final int count;
    private final IntFunction<Window> windows;

    WindowList(int count, IntFunction<Window> windows) {
        this.count = count;
        this.windows = windows;
    }

    @Override
    public Window get(int index) {
        return windows.apply(Objects.checkIndex(index, count));
    }

    @Override
    public int size() {
        return count;
    }
}
