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
 * {@code FlopCounterMode}. Memory is that of the process without the page cache, which holds the frozen weights ({@code frozenBytes}; on the CPU they are
 * mapped). Experts that are adapters of the hub have no weights there, but their own, which are not mapped ({@code adapterBytes}). Activations are those of the slice of tokens that a CPU processes at once; memory has not been measured on a GPU.
 *
 * @param frozenParameters weights of hub and full experts
 * @param adapterParameters weights of adapters
 * @param trainedParameters weights of the stitch layers
 * @param forwardFlopsPerToken operations of a forward pass
 * @param trainingFlopsPerToken operations of a forward and a backward pass
 * @param cachedTrainingFlopsPerToken the same with a frozen-state cache
 * @param cacheBytesPerToken what a frozen-state cache stores per token, on disk
 * @param frozenBytes size of the frozen weights
 * @param adapterBytes size of the adapters' weights
 * @param weightBytes float32 stitch weights, and their copies in the streams' type
 * @param gradientBytes their gradients
 * @param optimizerBytes both moments, and the average of the weights if there is one
 * @param activationBytes peak size of what the forward pass keeps for the backward pass, with the working memory of one pass
 * @param runtimeBytes the JVM and libtorch
 * @param hubBytesPerToken weights that the hub alone reads for each generated token
 * @param decodedBytesPerToken weights that the stitched model reads for each generated token, of adapters in the hub's layers only what they add
 */
public record TrainingPlan(long frozenParameters, long adapterParameters, long trainedParameters, double forwardFlopsPerToken, double trainingFlopsPerToken,
        double cachedTrainingFlopsPerToken, long cacheBytesPerToken, long frozenBytes, long adapterBytes, long weightBytes, long gradientBytes, long optimizerBytes,
        long activationBytes, long runtimeBytes, long hubBytesPerToken, long decodedBytesPerToken) {
    private static final int FLOAT = Float.BYTES;
    /** A JVM with a small heap and libtorch 2.7, measured on Linux, x86-64. */
    private static final long RUNTIME = 290L << 20;

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
        long hub = models.get(0).readOfHub();
        long read = hub + models.stream().skip(1).mapToLong(PlannedModel::readBesideHub).sum() + trained;
        Work work = new Work(models, stitches, trainer.batches().sequenceLength());
        Activations activations = new Activations(configs, precision, stitches, trainer, checkpointing);
        return new TrainingPlan(frozen, adapters, trained, work.forward(), work.training(), work.cachedTraining(), cacheBytes(configs, stitches), frozen * element, adapters * element,
                trained * FLOAT + (element < FLOAT ? trained * element : 0), trained * FLOAT,
                trained * 2 * FLOAT + (trainer.optimization().averageDecay() > 0 ? trained * FLOAT : 0), activations.peak(), RUNTIME, hub * element, read * element);
    }

    /**
     * The process's peak memory, without the page cache.
     *
     * @return bytes
     */
    public long peakBytes() {
        return adapterBytes + weightBytes + gradientBytes + optimizerBytes + activationBytes + runtimeBytes;
    }

    /**
     * The plan as a readable table.
     *
     * @return lines of text
     */
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
                """, frozenParameters, mib(frozenBytes), adapterParameters, mib(adapterBytes), trainedParameters, mib(weightBytes), mib(gradientBytes), mib(optimizerBytes),
                mib(activationBytes), mib(runtimeBytes), mib(peakBytes()), mib(decodedBytesPerToken), (double) decodedBytesPerToken / hubBytesPerToken, forwardFlopsPerToken,
                trainingFlopsPerToken, cachedTrainingFlopsPerToken, cacheBytesPerToken);
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
                    double attention = 4.0 * sequence * model.numHeads() * model.headDim() * (end - layer);
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

        private static double products(LlamaConfig model) {
            double d = model.hiddenSize();
            double attended = (double) model.numHeads() * model.headDim();
            double keys = (double) model.numKvHeads() * model.headDim();
            return 2 * (2 * d * attended + 2 * d * keys + 3 * d * model.intermediateSize());
        }

        double forward() {
            return forward;
        }

        double training() {
            return forward + backward;
        }

        double cachedTraining() {
            return training() - frozen;
        }
    }
}
