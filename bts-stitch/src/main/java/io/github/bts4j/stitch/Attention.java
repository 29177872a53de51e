package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.torch.llama.DocumentMask;
import io.github.bts4j.core.torch.llama.DocumentRows;
import java.util.Optional;

/** How far tokens see in a pass: over all of a sequence, within documents that a mark divides, or within those that are numbered. */
sealed interface Attention {
    /** What tokens see where nothing restricts it. */
    Attention WHOLE = new Marked(Optional.empty());

    /** The mask, bool {@code [batch, 1, sequence, sequence]}; empty where there is no restriction. ids: int64 {@code [batch, sequence]}. */
    Optional<NDArray> mask(NDManager scope, NDArray ids);

    /** The text that distinguishes states under this restriction from others, a line for a {@link FrozenStateCache}; empty where there is none. */
    String name();

    /** What identifies the states of each sequence, the numbers of row after row. */
    long[] keys(NDArray ids);

    /** By a mark, if at all. */
    record Marked(Optional<DocumentMask> marks) implements Attention {
        @Override
        public Optional<NDArray> mask(NDManager scope, NDArray ids) {
            return marks.map(mask -> mask.of(scope, ids));
        }

        @Override
        public String name() {
            return marks.map(mask -> mask + "\n").orElse("");
        }

        @Override
        public long[] keys(NDArray ids) {
            return ids.toLongArray();
        }
    }

    /** By the documents' numbers. */
    record Numbered(DocumentRows rows) implements Attention {
        @Override
        public Optional<NDArray> mask(NDManager scope, NDArray ids) {
            return Optional.of(rows.mask(scope));
        }

        @Override
        public String name() {
            return "numbered documents\n";
        }

        @Override
        public long[] keys(NDArray ids) {
            return rows.keys();
        }
    }
}
