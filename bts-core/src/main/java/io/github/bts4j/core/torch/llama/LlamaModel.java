package io.github.bts4j.core.torch.llama;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.CachedSession;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.checkpoint.OpenedFiles;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.llama.Repacking;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.FiniteTensors;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.LlamaWeights;
import io.github.bts4j.core.torch.NextTokenLoss;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.TensorList;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A frozen Llama decoder (Llama 2, arXiv 2307.09288, and its descendants), loaded from a Hugging Face checkpoint folder or a GGUF file.
 *
 * <p>On the CPU, weights of the checkpoint's own precision are views of the memory-mapped files: a page is not read before it is used, and
 * two models from one file share its pages. No weight ever requires a gradient. Thread-safe for reading; the caller who loads it closes it,
 * on any thread and at any time, see {@link FrozenLm#close}.
 */
public final class LlamaModel extends FrozenLm {

    private final LlamaConfig config;
    private final ElementType type;
    private final Map<String, NDArray> tensors;
    private final Decoder decoder;
    private Optional<OpenedFiles> opened = Optional.empty();
    private boolean mapped;
    private Optional<Quantization> quantization = Optional.empty();

    LlamaModel(String name, NDManager manager, LlamaConfig config, ElementType type, Map<String, NDArray> tensors, LlamaRows.Choice choice) {
        super(name, manager);
        this.config = config;
        this.type = type;
        this.tensors = Collections.unmodifiableMap(tensors);
        this.decoder = new Decoder(config, tensors, manager, type, choice);
        manager.cap(); // frozen from here on
        if (choice.repacking() == Repacking.ALWAYS) {
            decoder.rows(); // fails now rather than at the first token
        }
    }

    /** The files it was loaded from, and whether the weights are still mapped from them. */
    LlamaModel from(Path folder, OpenedFiles files, boolean isMapped) {
        modelDir = folder;
        opened = Optional.of(files);
        mapped = isMapped;
        return this;
    }

    /**
     * Checks that a checkpoint holds the tensors that its configuration implies, by names and shapes. Loads none.
     *
     * @param folder a folder with config.json and safetensors, or a GGUF file
     * @throws IOException if a file cannot be read
     * @throws ModelFormatException if a file is malformed or the tensors do not fit the configuration
     */
    public static void checkTensors(Path folder) throws IOException {
        LlamaLoader.checkTensors(folder);
    }

    /**
     * Loads a checkpoint on the CPU, in its own precision.
     *
     * @param folder a folder with config.json and safetensors, or a GGUF file
     * @return the model, which the caller closes
     * @throws IOException if a file cannot be read
     * @throws ModelFormatException if a file is malformed or the tensors do not fit config.json
     */
    public static LlamaModel open(Path folder) throws IOException {
        return open(folder, LoadOptions.defaults());
    }

    /**
     * Loads a checkpoint. Matrices that are stored as int8 with scales (compressed-tensors, {@code int-quantized}) stay so, mapped. Of a GGUF file, quantised matrices stay so ({@link Weights}), and by default the
     * computation is in bfloat16; they and tensors of one precision are mapped, apart from the query and key projections, whose rows llama.cpp permutes in some families. Where {@code tie_word_embeddings} is true and only one of embedding table and head is stored, it is both; a stored head that
     * differs from the embedding table is used, as in transformers 5, and {@link #config} is not tied.
     *
     * @param folder a folder with config.json and safetensors, or a GGUF file
     * @param options device and precision
     * @return the model, which the caller closes
     * @throws IOException if a file cannot be read
     * @throws ModelFormatException if a file is malformed or the tensors do not fit the configuration
     * @throws IllegalArgumentException if repacking was requested and is not possible
     */
    public static LlamaModel open(Path folder, LoadOptions options) throws IOException {
        return LlamaLoader.open(folder, options);
    }

    /**
     * Creates a model from tensors, which are copied.
     *
     * @param name the model's name, for messages
     * @param config the model's dimensions
     * @param tensors every tensor by its Hugging Face name
     * @param options device and precision (by default the configuration's)
     * @return the model, which the caller closes
     * @throws ModelFormatException if tensors are missing, extra or mis-shaped
     */
    public static LlamaModel of(String name, LlamaConfig config, Map<String, NDArray> tensors, LoadOptions options) {
        return LlamaLoader.of(name, config, tensors, options);
    }

    /** {@return the size in bytes of all tensors, mapped or not, with the scales of quantised matrices} */
    public long weightBytes() {
        return lifetime().hold(() -> tensors.entrySet().stream().filter(entry -> !BlockWeights.isType(entry.getKey())).map(Map.Entry::getValue)
                .mapToLong(tensor -> tensor.size() * Tensors.type(tensor).bytes()).sum());
    }

    /** How its matrices were rounded on load, or are stored. */
    void quantizedBy(Quantization how) {
        quantization = Optional.of(how);
    }

    /** {@return how its matrices were rounded when it was opened, or int8 if the checkpoint has int8 matrices; empty otherwise, also for a GGUF file's own types} */
    public Optional<Quantization> quantization() {
        return quantization;
    }

    /**
     * {@return whether weight matrices are held quantised: because of {@link LoadOptions#quantization}, or because the checkpoint has
     * int8 matrices, or a GGUF file quantised ones}
     */
    public boolean isQuantized() {
        return !quantizedTypes().isEmpty();
    }

    /** {@return the types that weight matrices are held in, such as {@code int8} or {@code Q4_0}; empty if none is held quantised} */
    public List<String> quantizedTypes() {
        return tensors.keySet().stream().anyMatch(name -> name.endsWith(Int8Weights.SCALE)) ? List.of("int8") : lifetime().hold(() -> BlockWeights.types(tensors));
    }

    /** {@return whether the model has low-rank matrices of an adapter besides its weights, see {@link AdaptedLlama#beside}} */
    public boolean isAdapted() {
        return tensors.keySet().stream().anyMatch(name -> name.endsWith(".lora_A"));
    }

    /**
     * Refuses an operation that needs the weights themselves.
     *
     * @param what the operation, such as "saved"
     * @throws IllegalStateException if the weights are quantised, or there is an adapter besides them
     */
    public void requireFullWeights(String what) {
        throwIf(isAdapted(),
                () -> new IllegalStateException("Model '" + getName() + "' is an adapter beside its base's weights and cannot be " + what + ": merge it first, with AdaptedLlama.merged"));
        throwIf(isQuantized(), () -> new IllegalStateException("Model '" + getName() + "' holds its weights as " + String.join(", ", quantizedTypes()) + ", rounded, and cannot be " + what
                + (quantizedTypes().equals(List.of("int8")) ? ": load the checkpoint that its weights were rounded from, without withQuantization"
                        : ": load it without withQuantization, a GGUF file with withWeights(Weights.DEQUANTIZED)")));
    }

    /** {@return the model's dimensions} */
    public LlamaConfig config() {
        return config;
    }

    /** {@return the type it computes in: that of every weight or, if matrices are quantised, of everything else} */
    public ElementType type() {
        return type;
    }

    /**
     * {@return the frozen tensors by their Hugging Face names, in the order of the name table, not modifiable} They may be bfloat16:
     * read them through {@link Tensors} alone. A quantised matrix is int8, and its scales {@code [out]} follow under its name and
     * {@code _scale}. One in ggml's blocks is bytes {@code [out, bytes of a row]}, and ggml's number of the type follows under its name and {@code _type}. Where another thread may close the model, hold its {@link #lifetime} while reading them.
     */
    public Map<String, NDArray> tensors() {
        return tensors;
    }

    /**
     * {@return the model as the kernels see it, closed with the model} Where another thread may close the model, hold its {@link
     * #lifetime} while using it.
     */
    public Decoder decoder() {
        return decoder;
    }

    /**
     * SHA-256 of the files that the model was loaded from, computed at the first call. Files that were changed or replaced in between are refused.
     *
     * @return the fingerprint
     * @throws IOException if a file cannot be read
     * @throws IllegalStateException if the model was not loaded from files
     */
    public ModelFingerprint fingerprint() throws IOException {
        return opened.orElseThrow(() -> new IllegalStateException("Model '" + getName() + "' was created in memory and has no files to fingerprint: save and load"
                + " it first")).fingerprint();
    }

    /**
     * Fails if a file that the weights are mapped from was changed in place since the model was opened. Every new session checks this
     * first.
     *
     * @throws ModelFormatException if it was
     */
    public void requireFilesInPlace() {
        if (mapped) {
            opened.ifPresent(OpenedFiles::requireWeightsInPlace);
        }
    }

    @Override
    public int vocabSize() {
        return config.vocabSize();
    }

    @Override
    public void requireFiniteWeights() {
        lifetime().hold(() -> FiniteTensors.require(getName(), tensors));
    }

    @Override
    public Set<Integer> endTokens() {
        return Collections.unmodifiableSet(new LinkedHashSet<>(config.eosTokenIds()));
    }

    @Override
    public int contextLength() {
        return config.contextLength();
    }

    @Override
    public NDArray forward(NDArray tokenIds) {
        return call(tokenIds, Decoder.CALLS::forward);
    }

    @Override
    public float[] meanState(int... tokenIds) {
        return meanState(tokenIds, ids -> call(ids, Decoder.CALLS::forwardHidden));
    }

    /**
     * Every layer's hidden state.
     *
     * @param tokenIds int64 {@code [batch, sequence]}
     * @return numLayers + 1 float32 tensors {@code [batch, sequence, hidden]}, owned by the manager of {@code tokenIds}: the
     *     embeddings, the states after layers 1 .. L - 1, and the last one after the final norm, as in Hugging Face's
     *     {@code hidden_states}
     * @throws IllegalArgumentException if the shape is wrong or an id is out of range
     */
    public List<NDArray> hiddenStates(NDArray tokenIds) {
        return call(tokenIds, Decoder.CALLS::forwardStates);
    }

    private interface Pass<T> {
        T run(NDManager owner, Autograd mode, NDArray ids, LlamaWeights m, TensorList rope, long row);
    }

    @SuppressWarnings("try") // the lease is only held
    private <T> T call(NDArray tokenIds, Pass<T> pass) {
        try (Lifetime.Lease use = lifetime().use(); NDManager scope = manager.newSubManager(); RopeRows rope = decoder.rope(0, length(tokenIds))) {
            NDArray ids = Tensors.place(scope, tokenIds, ElementType.INT64, device());
            return pass.run(tokenIds.getManager(), Autograd.OFF, ids, decoder.weights(), rope.tensors(), rope.row());
        }
    }

    private int length(NDArray tokenIds) {
        return Math.toIntExact(TokenBatch.checked(tokenIds, config.vocabSize()).getShape().get(1));
    }

    @Override
    protected NDArray tokenLosses(NDManager step, int[][] tokens) {
        TokenBatch.NextTokens next = TokenBatch.nextTokens(step, tokens, config.vocabSize());
        return NextTokenLoss.of(Decoder.CALLS, step, call(next.ids(), Decoder.CALLS::forwardHidden), decoder.head(step), next.labels());
    }

    @Override
    protected CachedSession<KvCaches> openSession(int capacity) {
        requireFilesInPlace();
        return new CachedSession<>(this, lifetime(), decoder.engines(), capacity, tokens -> KvCaches.of(List.of(decoder), tokens));
    }

    /**
     * Writes the model as a Hugging Face checkpoint: config.json and model.safetensors. A quantised model is written as it is, in the layout that compressed-tensors
     * calls {@code int-quantized}: int8 {@code X.weight [out, in]} and {@code X.weight_scale [out, 1]}.
     *
     * @param folder the folder, made if absent
     * @throws IOException if writing fails; files that were there before stay whole
     * @throws io.github.bts4j.core.OutputException if the folder holds shards
     * @throws IllegalStateException if there is an adapter besides the weights
     */
    @SuppressWarnings("try") // the lease is only held
    public void save(Path folder) throws IOException {
        if (isAdapted()) {
            requireFullWeights("saved");
        }
        Checkpoint.requireNoShards(folder);
        Files.createDirectories(folder);
        try (Lifetime.Lease use = lifetime().use(); NDManager scope = Torch.manager().newSubManager(device())) {
            writeWeights(folder.resolve("model.safetensors"), config, Int8Weights.stored(scope, tensors));
        }
        config.withDtype(precision()).write(folder.resolve("config.json"), isQuantized());
    }

    /**
     * Writes a model's tensors as its family's checkpoints hold them.
     *
     * @param file a safetensors file, which appears whole or not at all
     * @param config the model's configuration
     * @param tensors every tensor by its name in {@link #tensors}
     * @throws IOException if writing fails; an older file is then unchanged
     */
    public static void writeWeights(Path file, LlamaConfig config, Map<String, NDArray> tensors) throws IOException {
        TensorFiles.writeStacked(file, FusedTensors.stored(config, tensors), Map.of("format", "pt"));
    }

    /** {@return the precision that corresponds to {@link #type}} */
    public Precision precision() {
        return Precision.named(type.name().toLowerCase(Locale.ROOT)).orElse(Precision.FLOAT32);
    }

    @Override
    protected void release() {
        decoder.close();
    }
}
