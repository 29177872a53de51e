package io.github.bts4j.core.torch.llama;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.llama.rope.Rope;
import io.github.bts4j.core.llama.rope.RopeTable;
import io.github.bts4j.core.rows.Rounding;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.TensorList;
import io.github.bts4j.core.torch.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/**
 * The rotary tables of one model as tensors, grown to the longest sequence seen so far.
 *
 * <p>Thread-safe. A table that was outgrown lives until the model closes, because another thread may still read it; sizes
 * double, so all of them together are at most twice the last one.
 */
final class Rotary implements AutoCloseable {
    private static final int FIRST_ROWS = 512;

    private final List<Rope> ropes;
    private final NDManager manager;
    private final ElementType type;
    private final List<TensorList> made = new ArrayList<>();
    private List<RopeTable> tables;
    private TensorList tensors;
    private int rows;

    /** The tables of a model: one, or two of which layers take either. */
    Rotary(List<Rope> ropes, NDManager manager, ElementType type) {
        this.ropes = ropes;
        this.manager = manager;
        this.type = type;
    }

    /** The rows of tokens start .. start + length - 1 of a sequence that ends there. */
    RopeRows rows(int start, int length) {
        int end = Math.addExact(start, length);
        if (isOwn(end)) {
            return new RopeRows(tensors(tables(start, length, end)), 0, true); // serves this length alone
        }
        return new RopeRows(shared(end).tensors, start, false);
    }

    private boolean isOwn(int length) {
        return ropes.stream().anyMatch(rope -> rope.isOwn(length));
    }

    private List<RopeTable> tables(int first, int rows, int length) {
        return ropes.stream().map(rope -> RopeTable.of(rope, first, rows, length)).toList();
    }

    /** Cosines, then sines of one position of a sequence of that length, {@code [headDim]}, in the model's precision; of two tables, the first one's, then the second one's. */
    float[] cosSin(int position, int length) {
        boolean own = isOwn(length);
        List<RopeTable> found = own ? tables(position, 1, length) : shared(position + 1).tables;
        float[] row = found.get(0).cosSin(own ? 0 : position);
        for (RopeTable second : found.subList(1, found.size())) {
            float[] first = row;
            float[] more = second.cosSin(own ? 0 : position);
            row = Arrays.copyOf(first, first.length + more.length);
            System.arraycopy(more, 0, row, first.length, more.length);
        }
        Rounding.of(type).round(row, 0, row.length);
        return row;
    }

    /** Tables that serve every sequence up to a length, on both sides. */
    private record Shared(List<RopeTable> tables, TensorList tensors) {}

    private synchronized Shared shared(int end) {
        grow(end);
        return new Shared(tables, tensors);
    }

    private void grow(int end) {
        if (rows < end) {
            int most = ropes.stream().mapToInt(Rope::sharedLength).min().orElseThrow();
            rows = (int) Math.max(end, Math.min(Math.max(FIRST_ROWS, 2L * rows), most));
            int length = Math.min(rows, most); // matters to scaling by length alone, which never exceeds it here
            tables = tables(0, rows, length);
            tensors = tensors(tables);
            made.add(tensors);
        }
    }

    private TensorList tensors(List<RopeTable> parts) {
        try (NDManager scope = manager.newSubManager()) {
            return TensorList.of(List.of(tensor(scope, parts, RopeTable::cos), tensor(scope, parts, RopeTable::sin))); // has its own references
        }
    }

    /** The columns of one table behind those of the other. */
    private NDArray tensor(NDManager scope, List<RopeTable> parts, Function<RopeTable, float[]> values) {
        int positions = parts.get(0).positions();
        int pairs = parts.get(0).pairs();
        float[] all = parts.size() == 1 ? values.apply(parts.get(0)) : new float[positions * pairs * parts.size()];
        for (int part = 0; part < parts.size() && parts.size() > 1; part++) {
            float[] own = values.apply(parts.get(part));
            for (int row = 0; row < positions; row++) {
                System.arraycopy(own, row * pairs, all, (row * parts.size() + part) * pairs, pairs);
            }
        }
        return Tensors.place(scope, Tensors.of(scope, all, positions, (long) pairs * parts.size()), type, manager.getDevice());
    }

    @Override
    public synchronized void close() {
        made.forEach(TensorList::close);
    }
}
