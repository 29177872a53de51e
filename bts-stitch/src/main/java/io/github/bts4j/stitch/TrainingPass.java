package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.CheckpointedBlocks;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.NextTokenLoss;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.llama.DocumentRows;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.Ropes;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The forward and backward pass of one micro-batch. On the CPU it is processed in slices of about 512 tokens, whose gradients are added.
 *
 * <p>With activation checkpointing, the forward pass keeps the n + 1 streams before each of the K stitches. A block is the layers of one stream between two
 * stitches. The backward pass goes from the last stitch to the first; it recomputes a stitch with its graph, then the blocks before it one at a time,
 * apart from the last ones, whose graphs may have been kept.
 */
final class TrainingPass {
    private static final StitchTrainingKernels KERNELS = Kernels.of(StitchTrainingKernels.class);

    /** Distance between the seeds of two slices of a batch; larger than the number of stitches. */
    private static final long SLICE_SEEDS = 1_000_003;

    private final NDManager manager;
    private final LlamaModel hub;
    private final Streams streams;
    private final StitchConfig config;
    private final StitchWeights.Arguments weights;
    private final PassOptions options;

    TrainingPass(NDManager manager, StitchParts parts, PassOptions options) {
        this.manager = manager;
        this.hub = parts.models().get(0);
        this.streams = parts.streams();
        this.config = parts.config();
        this.weights = parts.weights().training();
        this.options = options;
    }

    float[] run(int[][] tokens, float tokenWeight, long seed) {
        Attention attention = new Attention.Marked(options.documentMask());
        return run(tokens, seed, (step, from, to, sliceSeed) -> new Given(
                TokenBatch.nextTokens(step, Arrays.copyOfRange(tokens, from, to), hub.vocabSize()), attention, tokenWeight, sliceSeed));
    }

    float[] run(DocumentRows rows, float tokenWeight, long seed) {
        DocumentRows numbered = options.documentMask().map(mask -> rows.numbered(mask)).orElseGet(rows::numbered);
        return run(rows.tokens(), seed, (step, from, to, sliceSeed) -> {
            DocumentRows slice = numbered.rows(from, to);
            return new Given(slice.nextTokens(step, hub.vocabSize()), new Attention.Numbered(slice), tokenWeight, sliceSeed);
        });
    }

    /** What goes through together: tokens, how far they see, what the loss of one counts, the seed. */
    private record Given(TokenBatch.NextTokens next, Attention attention, float tokenWeight, long seed) {}

    /** The sequences {@code from} to {@code to - 1} of a batch. */
    private interface Slicing {
        Given slice(NDManager step, int from, int to, long seed);
    }

    private float[] run(int[][] tokens, long seed, Slicing slicing) {
        int width = TokenBatch.width(tokens);
        TokenBatch.check(tokens, hub.vocabSize());
        int rows = manager.getDevice().isGpu() ? tokens.length : PassOptions.cpuRows(tokens.length, width);
        FloatBuffer losses = FloatBuffer.allocate(tokens.length * (width - 1));
        for (int row = 0; row < tokens.length; row += rows) {
            try (NDManager step = manager.newSubManager(); Ropes ropes = streams.ropes(0, width - 1)) {
                losses.put(slice(step, ropes, slicing.slice(step, row, Math.min(tokens.length, row + rows), seed + row * SLICE_SEEDS)));
            }
        }
        return losses.array();
    }

    private float[] slice(NDManager step, Ropes ropes, Given given) {
        Optional<NDArray> mask = given.attention().mask(step, given.next().ids());
        if (mask.isEmpty()) {
            return new Slice(step, ropes, given).run();
        }
        try (Ropes masked = ropes.masked(mask.get())) {
            return new Slice(step, masked, given).run();
        }
    }

    /** Sequences that are processed together. */
    private final class Slice {
        private final NDManager step;
        private final Ropes ropes;
        private final Given given;
        private final long seed;
        private final CheckpointedBlocks blocks;

        Slice(NDManager step, Ropes ropes, Given given) {
            this.step = step;
            this.ropes = ropes;
            this.given = given;
            this.seed = given.seed();
            this.blocks = new CheckpointedBlocks(KERNELS, step, options.checkpointing(), (config.numStitches() - 1) * streams.models().size());
        }

        float[] run() {
            TokenBatch.NextTokens next = given.next();
            float tokenWeight = given.tokenWeight();
            NDArray head = hub.decoder().head(step);
            FrozenStates frozen = new FrozenStates.Pass(step, streams, ropes, config, next.ids()).run(options, given.attention());
            if (options.checkpointing() != ActivationCheckpointing.OFF) {
                return checkpointed(frozen, head, next.labels(), tokenWeight);
            }
            NDArray hidden = KERNELS.suffix(step, Autograd.ON, frozen.streams(), streams.weights(), ropes.tensors(), ropes.rows(), frozen.hub(), config.kernelLayers(),
                    config.kernelKinds(), weights.gates().list(), weights.biases().list(), weights.projs().list(), config.dropout(), seed);
            frozen.close();
            return NextTokenLoss.backward(KERNELS, step, hidden, head, next.labels(), tokenWeight);
        }

        private float[] checkpointed(FrozenStates frozen, NDArray head, NDArray labels, float tokenWeight) {
            List<List<NDArray>> before = forward(frozen);
            int last = before.size() - 1;
            List<NDArray> inputs = inputs(before.get(last), last);
            List<NDArray> stitched = stitch(inputs, last);
            NDArray hidden = KERNELS.finalNorm(step, Autograd.ON, stitched.get(0), hub.decoder().weights());
            float[] losses = NextTokenLoss.backward(KERNELS, step, hidden, head, labels, tokenWeight);
            hidden.close();
            for (int j = last - 1; j >= 0; j--) {
                List<NDArray> gradients = KERNELS.leafGradients(step, Autograd.OFF, inputs);
                close(stitched, inputs, before.get(j + 1));
                inputs = inputs(before.get(j), j);
                stitched = stitch(inputs, j);
                List<NDArray> below = streamGradients(stitched, j, gradients);
                KERNELS.backwardEach(Autograd.OFF, stitched, below);
                close(gradients, below);
            }
            return losses;
        }

        /** The streams before every stitch; the last blocks' graphs are kept. */
        private List<List<NDArray>> forward(FrozenStates frozen) {
            List<List<NDArray>> before = new ArrayList<>(List.of(frozen.streams()));
            int models = frozen.streams().size();
            for (int j = 0; j + 1 < config.numStitches(); j++) {
                List<NDArray> inputs = inputs(before.get(j), j);
                List<NDArray> stitched = stitch(inputs, j);
                List<NDArray> next = new ArrayList<>();
                for (int i = 0; i < models; i++) {
                    boolean cached = i == 0 && j < frozen.hub().size();
                    next.add(cached ? frozen.hub().get(j) : blocks.forward(j * models + i, stitched.get(i), block(i, j)));
                }
                close(stitched);
                if (j > 0) {
                    close(inputs);
                }
                before.add(next);
            }
            return before;
        }

        /** The gradients with respect to the outputs of stitch j, from those with respect to the inputs of the next one. */
        private List<NDArray> streamGradients(List<NDArray> stitched, int j, List<NDArray> gradients) {
            List<NDArray> below = new ArrayList<>(gradients);
            for (int i = stitched.size() - 1; i >= 0; i--) {
                if (Tensors.requiresGradient(stitched.get(i))) { // not the hub has no graph before the first Experts-into-Hub stitch
                    below.set(i, blocks.backward(j * stitched.size() + i, stitched.get(i), block(i, j), gradients.get(i)));
                }
            }
            return below;
        }

        /** The layers of stream i after stitch j. */
        private CheckpointedBlocks.Block block(int i, int j) {
            return state -> KERNELS.streamGraph(step, Autograd.ON, state, streams.weights(), ropes.tensors(), ropes.rows(), i, config.afterLayers().get(j), config.afterLayers().get(j + 1));
        }

        /** The inputs of stitch j as leaves of a new graph; nothing below the first stitch is trained, so its inputs need no gradient. */
        private List<NDArray> inputs(List<NDArray> before, int j) {
            return j == 0 ? before : KERNELS.leaves(step, Autograd.ON, before);
        }

        private List<NDArray> stitch(List<NDArray> inputs, int j) {
            return KERNELS.trainingStitch(step, Autograd.ON, inputs, weights.gates().list(), weights.biases().list(), weights.projs().list(), j,
                    config.kernelKinds()[j], config.dropout(), seed);
        }

        @SafeVarargs
        private static void close(List<NDArray>... lists) {
            for (List<NDArray> tensors : lists) {
                tensors.forEach(NDArray::close);
            }
        }
    }
}
