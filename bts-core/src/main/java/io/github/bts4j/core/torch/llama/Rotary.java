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
import java.util.List;

/**
 * The rotary tables of one model as tensors, grown to the longest sequence seen so far.
 *
 * <p>Thread-safe. A table that was outgrown lives until the model closes, because another thread may still read it; sizes
 * double, so all of them together are at most twice the last one.
 */
final class Rotary implements AutoCloseable {
    private static final int FIRST_ROWS = 512;

    private final Rope rope;
    private final NDManager manager;
    private final ElementType type;
    private final List<TensorList> made = new ArrayList<>();
    private RopeTable table;
    private TensorList tensors;
    private int rows;

    Rotary(Rope rope, NDManager manager, ElementType type) {
        this.rope = rope;
        this.manager = manager;
        this.type = type;
    }

    /** The rows of tokens start .. start + length - 1 of a sequence that ends there. */
    RopeRows rows(int start, int length) {
        int end = Math.addExact(start, length);
        if (rope.isOwn(end)) {
            return new RopeRows(tensors(RopeTable.of(rope, start, length, end)), 0, true); // serves this length alone
        }
        return new RopeRows(shared(end), start, false);
    }

    /** Cosines, then sines of one position of a sequence of that length, {@code [headDim]}, in the model's precision. */
    float[] cosSin(int position, int length) {
        boolean own = rope.isOwn(length);
        RopeTable table = own ? RopeTable.of(rope, position, 1, length) : table(position + 1);
        float[] row = table.cosSin(own ? 0 : position);
        Rounding.of(type).round(row, 0, row.length);
        return row;
    }

    private synchronized RopeTable table(int end) {
        grow(end);
        return table;
    }

    private synchronized TensorList shared(int end) {
        grow(end);
        return tensors;
    }

    private void grow(int end) {
        if (rows < end) {
            rows = (int) Math.max(end, Math.min(Math.max(FIRST_ROWS, 2L * rows), rope.context()));
            int length = Math.min(rows, rope.context()); // matters to scaling by length alone, which never exceeds it here
            table = RopeTable.of(rope, 0, rows, length);
            tensors = tensors(table);
            made.add(tensors);
        }
    }

    private TensorList tensors(RopeTable table) {
        long[] shape = {table.positions(), table.pairs()};
        try (NDManager scope = manager.newSubManager()) {
            NDArray cos = Tensors.place(scope, Tensors.of(scope, table.cos(), shape), type, manager.getDevice());
            NDArray sin = Tensors.place(scope, Tensors.of(scope, table.sin(), shape), type, manager.getDevice());
            return TensorList.of(List.of(cos, sin)); // has its own references
        }
    }

    @Override
    public synchronized void close() {
        made.forEach(TensorList::close);
    }
}
