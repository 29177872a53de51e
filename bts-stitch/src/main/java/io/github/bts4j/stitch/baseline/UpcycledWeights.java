package io.github.bts4j.stitch.baseline;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.DecodeEngine;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.MismatchException;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.rows.ParallelismTuner;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.LlamaWeights;
import io.github.bts4j.core.torch.NextTokenLoss;
import io.github.bts4j.core.torch.TensorList;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.TorchList;
import io.github.bts4j.core.torch.TorchValue;
import io.github.bts4j.core.torch.llama.Decoder;
import io.github.bts4j.core.torch.llama.DocumentRows;
import io.github.bts4j.core.torch.llama.KvCaches;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.RopeRows;
import io.github.bts4j.core.torch.llama.Ropes;
import io.github.bts4j.core.torch.llama.TorchEngine;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The kernel arguments of an upcycled mixture, for its model and its training: each expert is a decoder with its own or shared tensors.
 *
 * <p>It holds references to tensors that it does not own. Thread-safe.
 */
public final class UpcycledWeights implements AutoCloseable {
    private static final UpcycledKernels KERNELS = Kernels.of(UpcycledKernels.class);

    private static final long NO_NOISE = -1;
    private static final Pattern EXPERT = Pattern.compile("experts\\.(\\d+)\\.");

    private final UpcycledConfig config;
    private final List<Decoder> decoders = new ArrayList<>();
    private final TorchList<LlamaWeights> weights;
    private final List<NDArray> routers;
    private final List<NDArray> adapters;
    private final TensorList kernelRouters;
    private final TensorList kernelAdapters;
    private List<DecodeEngine<KvCaches>> engines;

    /**
     * Creates the kernel arguments.
     *
     * @param config the mixture's shape
     * @param tensors every tensor of {@link UpcycledConfig#shapes()}, of one type
     * @param manager owner of the rotary tables
     * @param type element type of the tensors
     */
    public UpcycledWeights(UpcycledConfig config, Map<String, NDArray> tensors, NDManager manager, ElementType type) {
        this.config = config;
        for (int i = 0; i < config.experts().size(); i++) {
            int expert = i;
            Map<String, NDArray> own = new LinkedHashMap<>();
            LlamaTensors.shapes(config.base()).keySet().forEach(name -> own.put(name, tensors.get(config.nameOf(name, expert))));
            decoders.add(new Decoder(config.base(), own, manager, type));
        }
        this.weights = TorchList.of(decoders.stream().map(Decoder::weights).toList());
        this.routers = config.routers().stream().map(tensors::get).toList();
        this.adapters = config.adapterNames().stream().map(tensors::get).toList();
        this.kernelRouters = TensorList.of(routers);
        this.kernelAdapters = TensorList.of(adapters);
    }

    /**
     * Upcycles models: feed-forward networks, and attention if it is a mixture, are copied; everything else is averaged; routers are zero, adapters
     * the identity.
     *
     * @param config the mixture's shape
     * @param models one model per expert, the seed first; only read
     * @param owner owner of the tensors
     * @return float32 tensors by the names of {@link UpcycledConfig#shapes()}, on the owner's device
     * @throws IllegalArgumentException if the number of models or the dimensions of one are wrong
     * @throws IllegalStateException if the weights of one are quantised
     */
    @SuppressWarnings("try") // the lease is only held
    public static Map<String, NDArray> upcycle(UpcycledConfig config, List<LlamaModel> models, NDManager owner) {
        check(config, models);
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        try (Lifetime.Lease use = Lifetime.useAll(models.stream().map(LlamaModel::lifetime).toList())) {
            config.shapes().forEach((name, shape) -> tensors.put(name, start(models, name, shape, owner)));
        }
        return tensors;
    }

    private static void check(UpcycledConfig config, List<LlamaModel> models) {
        throwIf(models.size() != config.experts().size(),
                () -> new IllegalArgumentException(models.size() + " models for the experts " + config.experts() + ": give one model per expert"));
        for (LlamaModel model : models) {
            model.requireFullWeights("upcycled");
            List<String> differences = model.config().differences(config.base(), Set.of("dtype", "bosTokenId", "eosTokenIds"));
            if (!differences.isEmpty()) {
                throw new MismatchException("Model '" + model.getName() + "' differs from the mixture in " + String.join(", ", differences) + ": only models of the same shape can be upcycled");
            }
        }
    }

    private static NDArray start(List<LlamaModel> models, String name, List<Long> shape, NDManager owner) {
        Device device = owner.getDevice();
        long[] sizes = shape.stream().mapToLong(Long::longValue).toArray();
        if (name.endsWith(UpcycledConfig.ROUTER)) {
            return Tensors.zeros(owner, ElementType.FLOAT32, device, sizes);
        }
        if (name.contains(".adapters.")) {
            return owner.eye((int) sizes[0]);
        }
        Matcher expert = EXPERT.matcher(name);
        if (expert.find()) {
            NDArray own = models.get(Integer.parseInt(expert.group(1))).tensors().get(expert.replaceFirst(""));
            return copy(owner, own, device);
        }
        NDArray sum = copy(owner, models.get(0).tensors().get(name), device);
        for (LlamaModel model : models.subList(1, models.size())) {
            try (NDManager scope = Torch.manager().newSubManager(device)) {
                sum.addi(Tensors.place(scope, model.tensors().get(name), ElementType.FLOAT32, device));
            }
        }
        return sum.divi(models.size());
    }

    private static NDArray copy(NDManager owner, NDArray tensor, Device device) {
        try (NDManager scope = Torch.manager().newSubManager(device)) {
            return Tensors.copy(owner, Tensors.place(scope, tensor, ElementType.FLOAT32, device), ElementType.FLOAT32);
        }
    }

    /**
     * The head's weight.
     *
     * @param scope owner of the copy, if one is made
     * @return {@code [vocabulary, hidden]}
     */
    public NDArray head(NDManager scope) {
        return decoders.get(0).head(scope);
    }

    /**
     * The rotary tables for a range of positions.
     *
     * @param start position of the first token
     * @param length number of tokens
     * @return the tables, which the caller closes
     */
    public RopeRows rope(int start, int length) {
        return decoders.get(0).rope(start, length);
    }

    /**
     * A training step's loss and backward pass; with top-1 routing, experts are drawn.
     *
     * @param step owner of intermediate results
     * @param tokens token ids {@code [batch][sequence + 1]}
     * @param tokenWeight weight of each token's loss in the differentiated sum
     * @param seed seed of the draws
     * @return losses in nats, {@code [batch * sequence]}
     */
    public float[] accumulateGradients(NDManager step, int[][] tokens, float tokenWeight, long seed) {
        try (RopeRows rope = rope(0, tokens[0].length - 1)) {
            return backward(step, TokenBatch.nextTokens(step, tokens, config.base().vocabSize()), rope, tokenWeight, seed);
        }
    }

    /**
     * The same of sequences that hold whole documents, such as conversations.
     *
     * @param step owner of intermediate results
     * @param rows the sequences
     * @param tokenWeight weight of each token's loss in the differentiated sum
     * @param seed seed of the draws
     * @return losses in nats, {@code [batch * sequence]}, 0 where nothing counts
     */
    public float[] accumulateGradients(NDManager step, DocumentRows rows, float tokenWeight, long seed) {
        DocumentRows numbered = rows.numbered();
        try (RopeRows rope = rope(0, rows.tokens()[0].length - 1); RopeRows masked = rope.masked(numbered.mask(step))) {
            return backward(step, numbered.nextTokens(step, config.base().vocabSize()), masked, tokenWeight, seed);
        }
    }

    private float[] backward(NDManager step, TokenBatch.NextTokens next, RopeRows rope, float tokenWeight, long seed) {
        NDArray hidden = hidden(step, Autograd.ON, next.ids(), rope, seed & (Long.MAX_VALUE >> 8)); // a layer's number is added to it
        return NextTokenLoss.backward(KERNELS, step, hidden, head(step), next.labels(), tokenWeight);
    }

    private NDArray hidden(NDManager owner, Autograd mode, NDArray ids, RopeRows rope, long seed) {
        return KERNELS.upcycledHidden(owner, mode, ids, weights, rope.tensors(), rope.row(), kernelRouters, kernelAdapters, config.topOne(), seed);
    }

    /**
     * Next-token losses, without noise and without a graph.
     *
     * @param step owner of the result and of intermediate results
     * @param tokens token ids {@code [batch][sequence + 1]}
     * @return float32 losses in nats, {@code [batch * sequence]}
     */
    public NDArray tokenLosses(NDManager step, int[][] tokens) {
        TokenBatch.NextTokens next = TokenBatch.nextTokens(step, tokens, config.base().vocabSize());
        try (RopeRows rope = rope(0, tokens[0].length - 1)) {
            return NextTokenLoss.of(KERNELS, step, hidden(step, Autograd.OFF, next.ids(), rope, NO_NOISE), head(step), next.labels());
        }
    }

    NDArray logits(NDManager owner, NDArray ids, RopeRows rope) {
        return KERNELS.upcycled(owner, Autograd.OFF, ids, weights, rope.tensors(), rope.row(), kernelRouters, kernelAdapters, config.topOne());
    }

    /** Empty caches for a session: one per attention, every expert's or the shared one's. */
    KvCaches newCaches(int capacity) {
        return KvCaches.of(config.attentionExperts() ? decoders : decoders.subList(0, 1), capacity);
    }

    /** The engines that decode the mixture. */
    synchronized List<DecodeEngine<KvCaches>> engines() {
        if (engines == null) {
            engines = TorchEngine.orRows(decoders, this::decode, new ParallelismTuner(), rows -> new UpcycledRows(config, rows, routers, adapters));
        }
        return engines;
    }

    private NDArray decode(NDManager step, NDArray ids, Ropes ropes, TorchEngine.Caches caches) {
        return KERNELS.upcycledDecode(step, Autograd.INFERENCE, ids, weights, ropes.tensors(), ropes.rows(), kernelRouters, kernelAdapters, config.topOne(), caches.keys(), caches.values(), caches.starts());
    }

    /** Releases the references, but not the tensors. */
    @Override
    public void close() {
        List.of(weights, kernelRouters, kernelAdapters).forEach(TorchValue::close);
        decoders.forEach(Decoder::close);
    }
}
