package io.github.bts4j.stitch.baseline;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.CachedSession;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.checkpoint.SafetensorsFile;
import io.github.bts4j.core.checkpoint.TensorEntry;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.llama.Repacking;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.TensorLoader;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.RopeRows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A frozen upcycled mixture: Branch-Train-MiX with sampled or soft routing, or BAM, with adapters or without (see {@link UpcycledConfig}).
 *
 * <p>A checkpoint is a folder with {@code config.json} (the dimensions of one expert), {@code upcycled.json} and {@code model.safetensors}. Thread-safe for
 * reading.
 */
public final class UpcycledModel extends FrozenLm {
    private static final String DESCRIPTION = "upcycled.json";
    private static final String WEIGHTS = "model.safetensors";

    private final UpcycledConfig config;
    private final UpcycledWeights weights;

    private record Description(List<String> experts, boolean topOne, boolean attentionExperts, boolean adapters) {}

    private UpcycledModel(String name, UpcycledConfig config, NDManager manager, Map<String, NDArray> tensors, ElementType type) {
        super(name, manager);
        this.config = config;
        this.weights = new UpcycledWeights(config, tensors, manager, type);
        manager.cap(); // frozen from now on
    }

    /**
     * Loads a mixture.
     *
     * @param folder the checkpoint's folder
     * @param options device and precision; weights of the checkpoint's precision are views of the mapped file on the CPU
     * @return the model, which the caller closes
     * @throws IOException if a file cannot be read
     * @throws ModelFormatException if a file is malformed, or the tensors do not match the description
     * @throws IllegalArgumentException if the options ask for quantised or repacked weights
     */
    public static UpcycledModel open(Path folder, LoadOptions options) throws IOException {
        throwIf(options.quantization().isPresent(),
                () -> new IllegalArgumentException("quantization = " + options.quantization().get() + ": upcycled mixtures cannot be quantised"));
        throwIf(options.repacking() == Repacking.ALWAYS,
                () -> new IllegalArgumentException("repacking = ALWAYS: the weights of upcycled mixtures cannot be repacked"));
        UpcycledConfig config = describe(folder);
        Map<String, TensorEntry> entries = new LinkedHashMap<>();
        SafetensorsFile.open(folder.resolve(WEIGHTS)).entries().forEach(entry -> entries.put(entry.name(), entry));
        Map<String, List<Long>> found = new LinkedHashMap<>();
        config.shapes().keySet().stream().filter(entries::containsKey).forEach(name -> found.put(name, entries.get(name).shape()));
        throwIf(!found.equals(config.shapes()) || entries.size() != found.size(),
                () -> new ModelFormatException(folder.resolve(WEIGHTS), entries.size() + " tensors, of which " + found.entrySet().stream()
                        .filter(tensor -> config.shapes().get(tensor.getKey()).equals(tensor.getValue())).count() + " have a name and shape of the "
                        + config.shapes().size() + " that " + DESCRIPTION + " and config.json imply: are the files from one checkpoint?"));
        NDManager manager = Torch.manager().newSubManager(options.device());
        try {
            ElementType type = options.precision().map(Precision::elementType)
                    .orElseGet(() -> TensorLoader.torchType(entries.values().iterator().next()));
            Map<String, NDArray> tensors = new TensorLoader(manager, stored -> type, true).load(config.shapes().keySet().stream().map(entries::get).toList());
            UpcycledModel model = new UpcycledModel(folder.toAbsolutePath().normalize().getFileName().toString(), config, manager, tensors, type);
            model.modelDir = folder;
            return model;
        } catch (IOException | RuntimeException e) {
            manager.close();
            throw e;
        }
    }

    private static UpcycledConfig describe(Path folder) throws IOException {
        Path file = folder.resolve(DESCRIPTION);
        LlamaConfig base = LlamaConfig.read(folder);
        Description description = JsonReader.STRICT.record(file, Description.class, ModelFormatException::new);
        try {
            return new UpcycledConfig(base, description.experts(), description.topOne(), description.attentionExperts(), description.adapters());
        } catch (IllegalArgumentException e) {
            throw new ModelFormatException(file, e.getMessage(), e);
        }
    }

    /**
     * Writes a mixture's checkpoint.
     *
     * @param folder the folder, made if absent
     * @param config the mixture's shape
     * @param tensors every tensor of {@link UpcycledConfig#shapes()}
     * @throws IOException if writing fails; each file is written atomically
     */
    public static void save(Path folder, UpcycledConfig config, Map<String, NDArray> tensors) throws IOException {
        Files.createDirectories(folder);
        TensorFiles.write(folder.resolve(WEIGHTS), tensors, Map.of("format", "bts4j-upcycled"));
        config.base().write(folder.resolve("config.json"));
        AtomicFiles.write(folder.resolve(DESCRIPTION), JsonReader.pretty(new Description(config.experts(), config.topOne(), config.attentionExperts(), config.adapters())));
    }

    /** {@return the mixture's shape} */
    public UpcycledConfig config() {
        return config;
    }

    @Override
    public int vocabSize() {
        return config.base().vocabSize();
    }

    @Override
    public Set<Integer> endTokens() {
        return Set.copyOf(config.base().eosTokenIds());
    }

    @Override
    public int contextLength() {
        return config.base().contextLength();
    }

    @Override
    @SuppressWarnings("try") // the lease is only held
    public NDArray forward(NDArray tokenIds) {
        int length = Math.toIntExact(TokenBatch.checked(tokenIds, vocabSize()).getShape().get(1));
        try (Lifetime.Lease use = lifetime().use(); NDManager scope = manager.newSubManager(); RopeRows rope = weights.rope(0, length)) {
            return weights.logits(tokenIds.getManager(), Tensors.place(scope, tokenIds, ElementType.INT64, device()), rope);
        }
    }

    @Override
    protected NDArray tokenLosses(NDManager step, int[][] tokens) {
        return weights.tokenLosses(step, tokens);
    }

    @Override
    protected CachedSession<?> openSession(int capacity) {
        return new CachedSession<>(this, lifetime(), weights.engines(), capacity, weights::newCaches);
    }

    @Override
    protected void release() {
        weights.close();
    }
}
