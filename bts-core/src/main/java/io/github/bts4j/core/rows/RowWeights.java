package io.github.bts4j.core.rows;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The weights of a decoder.
 *
 * @param embedding {@code [vocabulary, hidden]}
 * @param layers the layers
 * @param norm the final norm {@code [hidden]}
 * @param head {@code [vocabulary, hidden]}
 * @param isRepacked whether its matrices are repacked, the embedding apart
 */
public record RowWeights(Matrix embedding, List<Layer> layers, float[] norm, Linear head, boolean isRepacked) {
    private static final double FREE_SHARE = 0.8; // of the free heap: the rest is for a step and its caller

    /**
     * The weights of one layer.
     *
     * @param inputNorm {@code [hidden]}
     * @param query the queries' projection
     * @param key the keys' projection
     * @param value the values' projection
     * @param output the output projection of the attention
     * @param postNorm {@code [hidden]}
     * @param gate the MLP's projection that goes through SiLU
     * @param up the one that it is multiplied with
     * @param down the one back to the residual stream
     */
    public record Layer(float[] inputNorm, Linear query, Linear key, Linear value, Linear output, float[] postNorm, Linear gate, Linear up, Linear down) {
        private Stream<Linear> linears() {
            return Stream.of(query, key, value, output, gate, up, down);
        }

        private static Layer joint(List<Layer> streams) {
            Layer first = streams.get(0);
            return new Layer(first.inputNorm, joint(streams, Layer::query), joint(streams, Layer::key), joint(streams, Layer::value), joint(streams, Layer::output), first.postNorm,
                    joint(streams, Layer::gate), joint(streams, Layer::up), joint(streams, Layer::down));
        }

        private static Linear joint(List<Layer> streams, Function<Layer, Linear> part) {
            return Linear.joint(streams.stream().map(part).toList());
        }

        private boolean isOver(Layer other) {
            List<Linear> ours = linears().toList();
            List<Linear> theirs = other.linears().toList();
            return Arrays.equals(inputNorm, other.inputNorm) && Arrays.equals(postNorm, other.postNorm)
                    && IntStream.range(0, ours.size()).allMatch(i -> ours.get(i).isOver(theirs.get(i)));
        }

        private Layer repacked() {
            return new Layer(inputNorm, query.repacked(), key.repacked(), value.repacked(), output.repacked(), postNorm, gate.repacked(), up.repacked(), down.repacked());
        }
    }

    /** The layers of streams over the same matrices, as one. */
    static RowWeights joint(List<RowWeights> streams) {
        RowWeights first = streams.get(0);
        List<Layer> layers = IntStream.range(0, first.layers.size()).mapToObj(i -> Layer.joint(streams.stream().map(stream -> stream.layers.get(i)).toList())).toList();
        return new RowWeights(first.embedding, layers, first.norm, first.head, first.isRepacked);
    }

    /** Whether the layers are products over the same matrices, adapters apart. */
    boolean isOver(RowWeights other) {
        return layers.size() == other.layers.size() && IntStream.range(0, layers.size()).allMatch(i -> layers.get(i).isOver(other.layers.get(i)));
    }

    /**
     * The size of the weights that a step reads.
     *
     * @return bytes
     */
    public long bytes() {
        return head.bytes() + layers.stream().flatMap(Layer::linears).mapToLong(Linear::bytes).sum();
    }

    /**
     * The same with repacked matrices on the Java heap.
     *
     * @return the weights
     */
    public RowWeights repacked() {
        return new RowWeights(embedding, layers.stream().map(Layer::repacked).toList(), norm, head.repacked(), true);
    }

    /**
     * Whether the Java heap has room for a copy now.
     *
     * @param bytes size of the copy
     * @return true if it fits into four fifths of the free heap
     */
    public static boolean hasRoom(long bytes) {
        return bytes <= FREE_SHARE * free();
    }

    private static long free() {
        Runtime java = Runtime.getRuntime();
        return java.maxMemory() - java.totalMemory() + java.freeMemory();
    }

    /**
     * Refuses a copy that the Java heap has no room for.
     *
     * @param bytes size of the copy
     * @throws IllegalArgumentException if it does not fit, with the figures
     */
    public static void requireRoom(long bytes) {
        if (!hasRoom(bytes)) {
            throw new IllegalArgumentException(String.format(java.util.Locale.ROOT,
                    "repacked weights take %d MiB of the Java heap, of which %d of %d MiB are free: start Java with -Xmx%dm or more (./bts: BTS_HEAP=%dm), or load without repacking",
                    mebibytes(bytes), mebibytes(free()), mebibytes(Runtime.getRuntime().maxMemory()), wanted(bytes), wanted(bytes)));
        }
    }

    /** A heap with which it fits. */
    private static long wanted(long bytes) {
        return mebibytes(Runtime.getRuntime().maxMemory() - free() + (long) (bytes / FREE_SHARE)) + 1;
    }

    private static long mebibytes(long bytes) {
        return (bytes + (1 << 20) - 1) >> 20;
    }
}
