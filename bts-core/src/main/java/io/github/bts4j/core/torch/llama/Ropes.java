package io.github.bts4j.core.torch.llama;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.DecodeBatch;
import io.github.bts4j.core.torch.TensorList;
import io.github.bts4j.core.torch.TorchList;
import java.util.Arrays;
import java.util.List;

/** The rotary tables of several streams for one kernel call; the caller closes them. */
public final class Ropes implements AutoCloseable {
    private final List<RopeRows> parts;
    private final TorchList<TensorList> tensors;

    private Ropes(List<RopeRows> parts) {
        this.parts = parts;
        this.tensors = TensorList.ofLists(parts.stream().map(RopeRows::tensors).toList());
    }

    /**
     * The tables of one range of positions.
     *
     * @param streams the decoders
     * @param start position of the first token
     * @param length number of tokens; the sequence ends with them
     * @return one table for each stream
     */
    public static Ropes of(List<Decoder> streams, int start, int length) {
        return new Ropes(streams.stream().map(stream -> stream.rope(start, length)).toList());
    }

    /**
     * The tables of a step.
     *
     * @param streams the decoders
     * @param batch the step
     * @return stream 0 for every session, then stream 1 for every session, and so on
     */
    public static Ropes of(List<Decoder> streams, DecodeBatch<?> batch) {
        int length = batch.isPrompt() ? batch.size() : 1;
        return new Ropes(streams.stream().flatMap(stream -> Arrays.stream(batch.starts()).mapToObj(start -> stream.rope(start, length))).toList());
    }

    /** {@return the tables as a {@code List[List[Tensor]]}, see {@link RopeRows}} */
    public TorchList<TensorList> tensors() {
        return tensors;
    }

    /** {@return the row of the first token in each table} */
    public long[] rows() {
        return parts.stream().mapToLong(RopeRows::row).toArray();
    }

    /**
     * The same tables with a restriction of attention.
     *
     * @param mask bool {@code [batch, 1, sequence, sequence]}, see {@link DocumentMask#of}
     * @return tables for calls over whole sequences; closed by the caller, before these
     */
    public Ropes masked(NDArray mask) {
        return new Ropes(parts.stream().map(part -> part.masked(mask)).toList());
    }

    @Override
    public void close() {
        tensors.close();
        parts.forEach(RopeRows::close);
    }
}
