package io.github.bts4j.train;

import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.stitch.StitchConfig;
import java.util.List;
import java.util.Locale;

/**
 * What training stitch layers needs, and what decoding reads, computed from the configurations; nothing is loaded. Sizes are in bytes.
 *
 * <p>FLOPs count a multiplication and an addition as two, matrix products and attention only, attention as if it were not causal: the convention of PyTorch's
 * {@code FlopCounterMode}. Memory is that of the process without the page cache, which holds the frozen weights ({@link Memory#frozen}; on the CPU they are
 * mapped). Experts that are adapters of the hub have no weights there, but their own, which are not mapped ({@link Memory#adapters}). Activations are those of the slice of tokens that a CPU processes at once; memory has not been measured on a GPU.
 *
 * @param parameters numbers of weights
 * @param operations FLOPs
 * @param memory sizes
 * @param decoding weights that are read for each generated token
 * @param cacheBytesPerToken what a frozen-state cache stores per token, on disk
 */
public record TrainingPlan(Parameters parameters, Operations operations, Memory memory, Decoding decoding, long cacheBytesPerToken) {
    /**
     * Numbers of weights.
     *
     * @param frozen those of hub and full experts
     * @param adapters those of adapters
     * @param trained those of the stitch layers
     */
    public record Parameters(long frozen, long adapters, long trained) {}

    /**
     * FLOPs per token.
     *
     * @param forward of a forward pass
     * @param training of a forward and a backward pass
     * @param cachedTraining the same with a frozen-state cache
     */
    public record Operations(double forward, double training, double cachedTraining) {}

    /**
     * Sizes in bytes.
     *
     * @param frozen the frozen weights
     * @param adapters the adapters' weights
     * @param weights float32 stitch weights, and their copies in the streams' type
     * @param gradients their gradients
     * @param optimizer both moments, and the average of the weights if there is one
     * @param activations at the peak, what the forward pass keeps for the backward pass, with the working memory of one pass; of matrices in ggml's blocks, their dequantised values too
     * @param runtime the JVM and libtorch
     */
    public record Memory(long frozen, long adapters, long weights, long gradients, long optimizer, long activations, long runtime) {
        /**
         * The process's peak memory, without the page cache.
         *
         * @return bytes
         */
        public long peak() {
            return adapters + weights + gradients + optimizer + activations + runtime;
        }
    }

    /**
     * Weights that are read for each generated token, in bytes.
     *
     * @param hub by the hub alone
     * @param stitched by the stitched model, of adapters in the hub's layers only what they add
     */
    public record Decoding(long hub, long stitched) {}

    private static final int FLOAT = Float.BYTES;
    /** A JVM with a small heap and libtorch 2.7, measured on Linux, x86-64. */
    static final long RUNTIME = 290L << 20;

    /**
     * Computes a plan.
     *
     * @param models configurations of the hub and the experts, hub first
     * @param precision element type of the streams
     * @param stitches the layout of the stitch layers
     * @param trainer how they are trained
     * @param checkpointing which activations are kept
     * @return the plan
     * @throws IllegalArgumentException if there is no expert
     */
    public static TrainingPlan of(List<LlamaConfig> models, Precision precision, StitchConfig stitches, TrainerConfig trainer,
            ActivationCheckpointing checkpointing) {
        return ofModels(models.stream().map(PlannedModel::full).toList(), precision, stitches, trainer, checkpointing);
    }

    /**
     * Computes a plan with experts that are adapters of the hub.
     *
     * @param models the hub and the experts, hub first
     * @param precision element type of the streams
     * @param stitches the layout of the stitch layers
     * @param trainer how they are trained
     * @param checkpointing which activations are kept
     * @return the plan
     * @throws IllegalArgumentException if there is no expert
     */
    public static TrainingPlan ofModels(List<PlannedModel> models, Precision precision, StitchConfig stitches, TrainerConfig trainer,
            ActivationCheckpointing checkpointing) {
        if (models.size() < 2) {
            throw new IllegalArgumentException(models.size() + " model: stitching needs a hub and at least one expert");
        }
        List<LlamaConfig> configs = models.stream().map(PlannedModel::config).toList();
        long adapters = models.stream().filter(PlannedModel::isAdapter).mapToLong(PlannedModel::parameters).sum();
        long frozen = models.stream().mapToLong(PlannedModel::parameters).sum() - adapters;
        long trained = stitches.parameterCount(models.size() - 1, configs.get(0).hiddenSize());
        int element = precision == Precision.FLOAT32 ? FLOAT : Short.BYTES;
        long hub = models.get(0).readOfHub(element);
        long read = hub + models.stream().skip(1).mapToLong(model -> model.readBesideHub(element)).sum() + trained * element;
        long frozenBytes = models.stream().filter(model -> !model.isAdapter()).mapToLong(model -> model.bytes(element)).sum();
        Work work = new Work(models, stitches, trainer.batches().sequenceLength());
        Activations activations = new Activations(models, precision, stitches, trainer, checkpointing);
        Memory memory = new Memory(frozenBytes, adapters * element, trained * FLOAT + (element < FLOAT ? trained * element : 0), trained * FLOAT,
                trained * 2 * FLOAT + (trainer.optimization().averageDecay() > 0 ? trained * FLOAT : 0), activations.peak(), RUNTIME);
        return new TrainingPlan(new Parameters(frozen, adapters, trained), work.operations(), memory, new Decoding(hub, read), cacheBytes(configs, stitches));
    }

    /** {@return the plan as a readable table of several lines} */
    public String text() {
        return String.format(Locale.ROOT, """
                frozen parameters    %,15d   %,10.1f MiB, mapped
                adapters             %,15d   %,10.1f MiB
                trained parameters   %,15d   %,10.1f MiB
                gradients                              %,10.1f MiB
                optimizer                              %,10.1f MiB
                activations                            %,10.1f MiB
                JVM and libtorch                       %,10.1f MiB
                peak, beside mapped weights            %,10.1f MiB
                weights read per generated token       %,10.1f MiB, %.2f times the hub's
                forward pass         %,15.0f FLOPs per token
                training             %,15.0f FLOPs per token
                with a frozen-state cache  %,15.0f FLOPs per token, %,d bytes of it on the disk
                """, parameters.frozen, mib(memory.frozen), parameters.adapters, mib(memory.adapters), parameters.trained, mib(memory.weights), mib(memory.gradients),
                mib(memory.optimizer), mib(memory.activations), mib(memory.runtime), mib(memory.peak()), mib(decoding.stitched), (double) decoding.stitched / decoding.hub,
                operations.forward, operations.training, operations.cachedTraining, cacheBytesPerToken);
    }

    private static long cacheBytes(List<LlamaConfig> models, StitchConfig stitches) {
        long bytes = 0;
        for (int i = 0; i < models.size(); i++) {
            bytes += (long) stitches.cachedLayers(i).size() * models.get(i).hiddenSize() * Short.BYTES;
        }
        return bytes;
    }

    private static double mib(long bytes) {
        return bytes / 1048576.0;
    }

    /** Operations per token. */
    private static final class Work {
        private double forward;
        private double backward;
        /** The part of the forward pass that a frozen-state cache saves. */
        private double frozen;

        Work(List<PlannedModel> models, StitchConfig stitches, int sequence) {
            int experts = models.size() - 1;
            LlamaConfig hub = models.get(0).config();
            double square = 2.0 * hub.hiddenSize() * hub.hiddenSize();
            boolean hubHasGraph = false;
            int layer = 0;
            for (int j = 0; j < stitches.numStitches(); j++) {
                for (int i = 0; i < models.size(); i++) {
                    LlamaConfig model = models.get(i).config();
                    int end = stitches.afterLayers().get(j);
                    double attention = attention(model, layer, end, sequence);
                    double products = products(model) * (end - layer) + 2.0 * models.get(i).lowRank(layer, end);
                    double pass = products + attention;
                    forward += pass;
                    frozen += stitches.afterLayers().get(j) <= stitches.frozenLayers(i) ? pass : 0;
                    if (j > 0 && (i > 0 || hubHasGraph)) {
                        backward += products + 2 * attention; // the weights are frozen: gradients of the inputs only
                    }
                }
                boolean intoHub = stitches.intoHub(j);
                double gate = square * (intoHub ? experts + 1 : experts);
                double projections = square * experts;
                forward += gate + projections;
                backward += gate + projections + (hubHasGraph ? gate : 0) + ((intoHub ? j > 0 : hubHasGraph) ? projections : 0);
                hubHasGraph |= intoHub;
                layer = stitches.afterLayers().get(j);
            }
            double head = 2.0 * hub.vocabSize() * hub.hiddenSize();
            forward += head;
            backward += head;
        }

        /** Of some layers, each over the tokens that it sees. */
        private static double attention(LlamaConfig model, int first, int end, int sequence) {
            double seen = 0;
            for (int layer = first; layer < end; layer++) {
                int window = model.traits().window(layer);
                seen += window == 0 ? sequence : Math.min(sequence, window);
            }
            return 4.0 * seen * model.numHeads() * model.headDim();
        }

        private static double products(LlamaConfig model) {
            double d = model.hiddenSize();
            double attended = (double) model.numHeads() * model.headDim();
            double keys = (double) model.numKvHeads() * model.headDim();
            return 2 * (2 * d * attended + 2 * d * keys + 3 * d * model.intermediateSize());
        }

        Operations operations() {
            return new Operations(forward, forward + backward, forward + backward - frozen);
        }
    }
}
