package io.github.bts4j.stitch;

import static io.github.bts4j.core.support.Problems.throwIf;

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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

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
        throwIf(Stream.of(weights.gates(), weights.biases(), weights.projs()).flatMap(each -> each.tensors().stream()).noneMatch(Tensors::requiresGradient), NextTokenLoss::nothingToTrain);
        int rows = manager.getDevice().isGpu() ? tokens.length : PassOptions.cpuRows(tokens.length, width, streams.models().stream().map(LlamaModel::config).toList(), hub.precision(), config);
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
        private final CheckpointedBlocks blocks;
        private final boolean[] isExplicit;
        private final Map<Integer, Stitched> kept = new HashMap<>();

        Slice(NDManager step, Ropes ropes, Given given) {
            this.step = step;
            this.ropes = ropes;
            this.given = given;
            this.blocks = new CheckpointedBlocks(KERNELS, step, options.checkpointing(), (config.numStitches() - 1) * streams.models().size());
            this.isExplicit = new boolean[streams.models().size()];
            for (int i = 0; i < isExplicit.length; i++) {
                isExplicit[i] = KERNELS.streamIsKept(Autograd.OFF, streams.weights(), ropes.tensors(), i);
            }
        }

        float[] run() {
            NDArray head = hub.decoder().head(step);
            FrozenStates frozen = new FrozenStates.Pass(step, streams, ropes, config, given.next().ids()).run(options, given.attention());
            List<List<NDArray>> before = forward(frozen);
            int last = before.size() - 1;
            Stitched stitched = stitched(before.get(last), last);
            NDArray hidden = KERNELS.finalNorm(step, Autograd.ON, stitched.outputs.get(0), hub.decoder().weights());
            float[] losses = NextTokenLoss.backward(KERNELS, step, hidden, head, given.next().labels(), given.tokenWeight());
            hidden.close();
            for (int j = last - 1; j >= 0; j--) {
                List<NDArray> gradients = stitched.gradients();
                stitched.close();
                close(before.get(j + 1));
                stitched = kept.containsKey(j) ? kept.remove(j) : stitched(before.get(j), j);
                List<NDArray> below = streamGradients(stitched.outputs, j, gradients);
                KERNELS.backwardEach(Autograd.OFF, stitched.outputs, below);
                close(gradients, below);
            }
            return losses;
        }

        /** The streams before every stitch. Stitches keep their graphs where all activations are kept. */
        private List<List<NDArray>> forward(FrozenStates frozen) {
            List<List<NDArray>> before = new ArrayList<>(List.of(frozen.streams()));
            int models = frozen.streams().size();
            for (int j = 0; j + 1 < config.numStitches(); j++) {
                Stitched stitched = stitched(before.get(j), j);
                List<NDArray> next = new ArrayList<>();
                for (int i = 0; i < models; i++) {
                    boolean cached = i == 0 && j < frozen.hub().size();
                    next.add(cached ? frozen.hub().get(j) : blocks.forward(j * models + i, stitched.outputs.get(i), block(i, j)));
                }
                if (options.checkpointing() == ActivationCheckpointing.OFF) {
                    kept.put(j, stitched);
                } else {
                    stitched.close();
                }
                before.add(next);
            }
            return before;
        }

        /** The gradients with respect to the outputs of stitch j, from those with respect to the inputs of the next one. */
        private List<NDArray> streamGradients(List<NDArray> stitched, int j, List<NDArray> gradients) {
            List<NDArray> below = new ArrayList<>(gradients);
            for (int i = stitched.size() - 1; i >= 0; i--) {
                if (Tensors.requiresGradient(stitched.get(i))) { // the hub has no graph before the first Experts-into-Hub stitch
                    below.set(i, blocks.backward(j * stitched.size() + i, stitched.get(i), block(i, j), gradients.get(i)));
                }
            }
            return below;
        }

        /** The layers of stream i after stitch j. */
        private CheckpointedBlocks.Block block(int i, int j) {
            int first = config.afterLayers().get(j);
            int last = config.afterLayers().get(j + 1);
            CheckpointedBlocks.Block recorded = new CheckpointedBlocks.Recorded(KERNELS, step,
                    state -> KERNELS.streamGraph(step, Autograd.ON, state, streams.weights(), ropes.tensors(), ropes.rows(), i, first, last));
            return isExplicit[i] ? new ExplicitBlock(recorded, i, first, last) : recorded;
        }

        /** A stitch with its graph. States that no trained weight has touched need no gradient. */
        private Stitched stitched(List<NDArray> before, int j) {
            List<NDArray> inputs = new ArrayList<>(before);
            for (int i = 0; i < inputs.size(); i++) {
                if (isTouched(i, j)) {
                    inputs.set(i, KERNELS.leaves(step, Autograd.ON, before.subList(i, i + 1)).get(0));
                }
            }
            return new Stitched(j, inputs, KERNELS.trainingStitch(step, Autograd.ON, inputs, weights.gates().list(), weights.biases().list(), weights.projs().list(), j,
                    config.kernelKinds()[j], config.dropout(), given.seed()));
        }

        /** Whether a trained weight has touched stream i before stitch j. The first one touches the experts, the first Experts-into-Hub stitch the hub. */
        private boolean isTouched(int i, int j) {
            return j > 0 && (i > 0 || IntStream.range(0, j).anyMatch(config::intoHub));
        }

        /** Stitch j with its graph. */
        private final class Stitched {
            final int j;
            final List<NDArray> inputs;
            final List<NDArray> outputs;

            Stitched(int j, List<NDArray> inputs, List<NDArray> outputs) {
                this.j = j;
                this.inputs = inputs;
                this.outputs = outputs;
            }

            /** The gradients of the inputs, after the backward pass. */
            List<NDArray> gradients() {
                return KERNELS.leafGradients(step, Autograd.OFF, inputs);
            }

            void close() {
                Slice.close(outputs);
                for (int i = 0; i < inputs.size(); i++) {
                    if (isTouched(i, j)) {
                        inputs.get(i).close();
                    }
                }
            }
        }

        /** Layers of stream i with an explicit backward pass instead of autograd's, unless nothing before them is trained. */
        private final class ExplicitBlock implements CheckpointedBlocks.Block {
            private final CheckpointedBlocks.Block recorded;
            private final int i;
            private final int first;
            private final int last;

            ExplicitBlock(CheckpointedBlocks.Block recorded, int i, int first, int last) {
                this.recorded = recorded;
                this.i = i;
                this.first = first;
                this.last = last;
            }

            @Override
            public List<NDArray> forward(NDArray input) {
                return Tensors.requiresGradient(input) ? KERNELS.keptStream(step, Autograd.OFF, input, streams.weights(), ropes.tensors(), ropes.rows(), i, first, last) : recorded.forward(input);
            }

            @Override
            public NDArray backward(List<NDArray> kept, NDArray gradient) {
                return KERNELS.streamGradient(step, Autograd.OFF, gradient, kept, streams.weights(), ropes.tensors(), ropes.rows(), i, first, last);
            }
        }

        @SafeVarargs
        private static void close(List<NDArray>... lists) {
            for (List<NDArray> tensors : lists) {
                tensors.forEach(NDArray::close);
            }
        }
    }
}
