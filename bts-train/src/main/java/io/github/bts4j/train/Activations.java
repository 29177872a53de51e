package io.github.bts4j.train;

import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.llama.family.Family;
import io.github.bts4j.core.llama.family.Traits;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.stitch.PassOptions;
import io.github.bts4j.stitch.StitchConfig;
import java.util.List;
import java.util.Set;

/**
 * The activations that a training pass through a stitched model keeps for its backward pass. The kept tensors of a layer are counted from what {@code layers.py} keeps, or autograd; how much
 * more the allocator holds, and the working memory of a token, were measured in nineteen settings (docs/benchmarks.md).
 */
final class Activations {
    /** Families whose layers have a backward pass of their own, without windows and other traits. */
    private static final Set<Family> OWN = Set.of(Family.LLAMA, Family.MISTRAL, Family.QWEN2);

    /** Allocator overhead: temporaries between kept tensors, float32 ones in half-precision types too. */
    private static final double OWN_HELD_HALF = 1.44;

    private static final double OWN_HELD_FLOAT = 1.46;
    /** The same of layers that are left to autograd. */
    private static final double HELD_HALF = 1.51;

    private static final double HELD_FLOAT = 1.21;
    /** Workspaces of matrix products and of the loss, for every token of a slice, and once more for the first {@link #FIRST_TOKENS}. */
    private static final long WORKING_BYTES_PER_TOKEN = 75 << 10;

    private static final long FIRST_TOKENS = 512;

    private final List<PlannedModel> models;
    private final StitchConfig stitches;
    private final ActivationCheckpointing checkpointing;
    private final Precision precision;
    private final long tokens;

    Activations(List<PlannedModel> models, Precision precision, StitchConfig stitches, TrainerConfig trainer, ActivationCheckpointing checkpointing) {
        this.models = models;
        this.stitches = stitches;
        this.checkpointing = checkpointing;
        this.precision = precision;
        this.tokens = (long) PassOptions.cpuRows(trainer.batches().microBatch(), trainer.batches().sequenceLength() + 1, models.stream().map(PlannedModel::config).toList(), precision, stitches)
                * trainer.batches().sequenceLength();
    }

    /** Bytes of one float32 model, all of whose layers are in the graph. */
    static long ofModel(LlamaConfig model, ActivationCheckpointing checkpointing, long tokens) {
        int layers = model.numLayers();
        double layer = layer(model, Precision.FLOAT32, true);
        double kept = checkpointing == ActivationCheckpointing.OFF ? layers * layer : Math.max(1, checkpointing.kept(layers)) * layer + (double) layers * model.hiddenSize() * Float.BYTES;
        return Math.round(tokens * kept) + working(tokens);
    }

    long peak() {
        boolean off = checkpointing == ActivationCheckpointing.OFF;
        double kept = off ? graphs(this::block) : blocks(this::block) + streams();
        double dequantized = off ? graphs(this::dequantized) : blocks(this::dequantized);
        return Math.round(tokens * kept + dequantized + head()) + working(tokens);
    }

    private static long working(long tokens) {
        return WORKING_BYTES_PER_TOKEN * (tokens + Math.min(tokens, FIRST_TOKENS));
    }

    /** Something of the layers of stream i between stitch j and the next one. */
    private interface OfBlock {
        double of(int i, int j);
    }

    /** The sum of every block whose input has a gradient. */
    private double graphs(OfBlock bytes) {
        double sum = 0;
        for (int j = 0; j + 1 < stitches.numStitches(); j++) {
            for (int i = 0; i < models.size(); i++) {
                sum += bytes.of(i, j);
            }
        }
        return sum;
    }

    /** The sum of the blocks whose graphs exist at the same time: the kept ones, or one that is recomputed. */
    private double blocks(OfBlock each) {
        int streams = models.size();
        int blocks = (stitches.numStitches() - 1) * streams;
        int firstKept = blocks - checkpointing.kept(blocks);
        double kept = 0;
        double largest = 0;
        for (int block = 0; block < blocks; block++) {
            double bytes = each.of(block % streams, block / streams);
            if (block >= firstKept) {
                kept += bytes;
            } else {
                largest = Math.max(largest, bytes);
            }
        }
        return Math.max(kept, largest);
    }

    /** Bytes per token of the streams at every stitch: their states before and behind it, and the gradients of both. */
    private double streams() {
        return 4.0 * stitches.numStitches() * models.size() * models.get(0).config().hiddenSize() * precision.bytes();
    }

    /** Bytes of matrices in ggml's blocks: the backward pass uses the dequantised ones of the forward pass. */
    private double dequantized(int i, int j) {
        boolean graph = i > 0 || hubHasGraph(j);
        int layers = stitches.afterLayers().get(j + 1) - stitches.afterLayers().get(j);
        return graph ? (double) layers * models.get(i).blocks().layers() / models.get(i).config().numLayers() * precision.bytes() : 0;
    }

    /** Bytes of the hub's head, if that is in blocks: it is dequantised for the loss. */
    private long head() {
        PlannedModel hub = models.get(0);
        return (hub.config().tieWordEmbeddings() ? hub.blocks().embedding() : hub.blocks().head()) * precision.bytes();
    }

    /** Bytes per token of the layers of stream i between stitch j and the next one; the hub has no graph before its first Experts-into-Hub stitch. */
    private double block(int i, int j) {
        if (i == 0 && !hubHasGraph(j)) {
            return 0;
        }
        LlamaConfig model = models.get(i).config();
        int layers = stitches.afterLayers().get(j + 1) - stitches.afterLayers().get(j);
        return layers * layer(model, precision, false);
    }

    /** Bytes per token of one layer: with a backward pass of its own, its states, queries, keys, values and feed-forward products, and what o_proj reads if that is trained. */
    private static double layer(LlamaConfig model, Precision precision, boolean trained) {
        boolean half = precision != Precision.FLOAT32;
        double hidden = model.hiddenSize();
        double attended = model.queryWidth();
        double feedForward = model.intermediateSize();
        if (precision != Precision.FLOAT16 && hasOwnPass(model.traits())) {
            double values = PassOptions.keptValues(model) + (trained ? attended : 0);
            return values * precision.bytes() * (half ? OWN_HELD_HALF : OWN_HELD_FLOAT);
        }
        return half ? HELD_HALF * (8 * hidden + 8 * attended + 6 * feedForward) : HELD_FLOAT * (16 * hidden + 20 * attended + 16 * feedForward);
    }

    private static boolean hasOwnPass(Traits traits) {
        return OWN.contains(traits.family()) && traits.equals(Traits.of(traits.family()));
    }

    private boolean hubHasGraph(int j) {
        for (int at = 0; at <= j; at++) {
            if (stitches.intoHub(at)) {
                return true;
            }
        }
        return false;
    }
}
