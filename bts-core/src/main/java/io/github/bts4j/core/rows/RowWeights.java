package io.github.bts4j.core.rows;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
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
     * The weights of a layer's norms; one that there is not is empty.
     *
     * @param beforeAttention {@code [hidden]}
     * @param afterAttention {@code [hidden]}
     * @param beforeMlp {@code [hidden]}
     * @param afterMlp {@code [hidden]}
     * @param query of each query {@code [headDim]}, or of all queries together
     * @param key of each key, or of all keys together
     */
    public record Norms(float[] beforeAttention, float[] afterAttention, float[] beforeMlp, float[] afterMlp, float[] query, float[] key) {
        private boolean equal(Norms other) {
            return Arrays.deepEquals(all(), other.all());
        }

        private float[][] all() {
            return new float[][] {beforeAttention, afterAttention, beforeMlp, afterMlp, query, key};
        }
    }

    /**
     * What a layer's attention sees.
     *
     * @param window the most tokens that a token attends to, itself included; 0 for all
     * @param rotation the token's rotation: 0 for the whole row, 1 or 2 for its first or second half, -1 for none
     */
    public record Kind(int window, int rotation) {
        private static final float[] NONE = {};

        /** The cosines, then the sines, that this layer takes of a token's row. */
        float[] of(float[] row) {
            return switch (rotation) {
                case -1 -> NONE;
                case 0 -> row;
                default -> Arrays.copyOfRange(row, row.length / 2 * (rotation - 1), row.length / 2 * rotation);
            };
        }

        /** The first of so many keys that the last token attends to. */
        int first(int keys) {
            return window == 0 ? 0 : Math.max(0, keys - window);
        }
    }

    /**
     * The weights of one layer.
     *
     * @param norms the norms before and behind the two branches, and of queries and keys
     * @param kind what the layer's attention sees
     * @param query the queries' projection
     * @param key the keys' projection
     * @param value the values' projection
     * @param output the output projection of the attention
     * @param gate the MLP's projection that goes through the activation
     * @param up the one that it is multiplied with
     * @param down the one back to the residual stream
     */
    public record Layer(Norms norms, Kind kind, Linear query, Linear key, Linear value, Linear output, Linear gate, Linear up, Linear down) {
        private Stream<Linear> linears() {
            return Stream.of(query, key, value, output, gate, up, down);
        }

        private static Layer joint(List<Layer> streams) {
            Layer first = streams.get(0);
            return new Layer(first.norms, first.kind, joint(streams, Layer::query), joint(streams, Layer::key), joint(streams, Layer::value), joint(streams, Layer::output),
                    joint(streams, Layer::gate), joint(streams, Layer::up), joint(streams, Layer::down));
        }

        private static Linear joint(List<Layer> streams, Function<Layer, Linear> part) {
            return Linear.joint(streams.stream().map(part).toList());
        }

        private boolean isOver(Layer other) {
            List<Linear> ours = linears().toList();
            List<Linear> theirs = other.linears().toList();
            return kind.equals(other.kind) && norms.equal(other.norms)
                    && IntStream.range(0, ours.size()).allMatch(i -> ours.get(i).isOver(theirs.get(i)));
        }

        private Layer repacked() {
            return new Layer(norms, kind, query.repacked(), key.repacked(), value.repacked(), output.repacked(), gate.repacked(), up.repacked(), down.repacked());
        }
    }

    /** The layers of streams over the same matrices, as one. */
    static RowWeights joint(List<RowWeights> streams) {
        RowWeights first = streams.get(0);
        List<Layer> layers = IntStream.range(0, first.layers.size()).mapToObj(i -> Layer.joint(streams.stream().map(stream -> stream.layers.get(i)).toList())).toList();
        return new RowWeights(first.embedding, layers, first.norm, first.head, first.isRepacked);
    }

    /** Whether the layers are products over the same matrices, except for adapters. */
    boolean isOver(RowWeights other) {
        return layers.size() == other.layers.size() && IntStream.range(0, layers.size()).allMatch(i -> layers.get(i).isOver(other.layers.get(i)));
    }

    /** {@return the size in bytes of the weights that a step reads} */
    public long bytes() {
        return head.bytes() + layers.stream().flatMap(Layer::linears).mapToLong(Linear::bytes).sum();
    }

    /**
     * The size of the matrices that {@link #repacked} copies.
     *
     * @param shared matrices that are repacked already, those of another model
     * @return bytes
     */
    public long bytesToRepack(Set<Matrix> shared) {
        return Stream.concat(Stream.of(head), layers.stream().flatMap(Layer::linears)).filter(linear -> !shared.contains(linear.weight())).mapToLong(Linear::matrixBytes).sum();
    }

    /** Whether some of the matrices are stored in blocks. */
    boolean isQuantized() {
        return Stream.concat(Stream.of(head), layers.stream().flatMap(Layer::linears)).anyMatch(linear -> linear.weight().stored() instanceof Blocks);
    }

    /** {@return the same weights with repacked matrices on the Java heap} */
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
     * Refuses a copy that does not fit into the Java heap.
     *
     * @param bytes size of the copy
     * @throws IllegalArgumentException if it does not fit, with the figures
     */
    public static void requireRoom(long bytes) {
        throwIf(!hasRoom(bytes), () -> new IllegalArgumentException(String.format(java.util.Locale.ROOT,
                "repacked weights take %d MiB of the Java heap, of which %d of %d MiB are free: start Java with -Xmx%dm or more (./bts: BTS_HEAP=%dm), or load without repacking",
                mebibytes(bytes), mebibytes(free()), mebibytes(Runtime.getRuntime().maxMemory()), wanted(bytes), wanted(bytes))));
    }

    /** The size of a heap that is large enough. */
    private static long wanted(long bytes) {
        return mebibytes(Runtime.getRuntime().maxMemory() - free() + (long) (bytes / FREE_SHARE)) + 1;
    }

    private static long mebibytes(long bytes) {
        return (bytes + (1 << 20) - 1) >> 20;
    }
}
