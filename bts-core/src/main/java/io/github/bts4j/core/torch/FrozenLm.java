package io.github.bts4j.core.torch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.BaseModel;
import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.translate.Translator;
import io.github.bts4j.core.CachedSession;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * A loaded language model that is also an {@link ai.djl.Model}: its block maps token ids to logits, and {@code newPredictor}
 * accepts it. Methods of DJL that would change the frozen weights ({@code newTrainer}, {@code setBlock}, {@code cast}) are refused.
 *
 * <p>Thread-safe for reading. The caller closes it: {@link #close} waits for running calls, and open sessions then report "This model is closed".
 */
public abstract class FrozenLm extends BaseModel implements CausalLm {
    private final Lifetime lifetime;
    private final NDManager requests;

    /**
     * Creates a model whose tensors belong to the given manager.
     *
     * @param name the model's name
     * @param manager owner of the model's tensors, closed with the model
     * @param parents the lifetimes of its dependencies
     * @throws IllegalStateException if a parent is closed
     */
    @SuppressWarnings("this-escape") // the block keeps the reference and calls nothing yet
    protected FrozenLm(String name, NDManager manager, Lifetime... parents) {
        super(name);
        this.lifetime = Lifetime.shared("model", parents);
        this.manager = manager;
        this.requests = Torch.manager().newSubManager(manager.getDevice());
        this.dataType = DataType.FLOAT32;
        this.wasLoaded = true;
        this.block = new LogitsBlock(this);
    }

    /**
     * {@return the model's lifetime, which ends with {@link #close}} Code that reads its tensors, or calls kernels with them, must
     * take a lease.
     */
    public final Lifetime lifetime() {
        return lifetime;
    }

    /**
     * {@return a manager on the model's device for the caller's tensors, inputs and results} It does not own the model's tensors, and
     * closing the model does not close the caller's.
     */
    @Override
    public final NDManager getNDManager() {
        return requests;
    }

    @Override
    public Device device() {
        return manager.getDevice();
    }

    /**
     * A predictor of this model, as for any other model of DJL.
     *
     * @param translator converts inputs and outputs; a {@link PredictorSource} creates its own predictor
     * @param device the inputs' device
     * @return a new predictor for one thread, which the caller closes
     */
    @Override
    @SuppressWarnings("unchecked") // a PredictorSource<I, O> that is a Translator<P, Q> has P = I and Q = O
    public <I, O> Predictor<I, O> newPredictor(Translator<I, O> translator, Device device) {
        if (translator instanceof PredictorSource<?, ?> source) {
            return (Predictor<I, O>) source.newPredictor(this, device);
        }
        return super.newPredictor(translator, device);
    }

    @Override
    public final float[][] logits(int... tokenIds) {
        try (NDManager step = Torch.manager().newSubManager(device())) {
            return TokenBatch.rows(forward(TokenBatch.tensor(step, new int[][] {tokenIds}, 0, tokenIds.length, vocabSize())).toFloatArray(), tokenIds.length);
        }
    }

    @Override
    @SuppressWarnings("try") // the lease is only held
    public final float[][] tokenLosses(int[][] tokens) {
        try (Lifetime.Lease use = lifetime.use(); NDManager step = manager.newSubManager();
                NDArray losses = tokenLosses(step, tokens)) {
            return TokenBatch.rows(losses.toFloatArray(), tokens.length);
        }
    }

    /**
     * Next-token losses of a batch as one tensor.
     *
     * @param step owner of the result and of intermediate results
     * @param tokens token ids {@code [batch][sequence]}
     * @return float32 losses in nats, {@code [batch * (sequence - 1)]}
     */
    protected abstract NDArray tokenLosses(NDManager step, int[][] tokens);

    /**
     * A text's mean state, see {@link #meanState}.
     *
     * @param tokenIds token ids
     * @param pass computes the states {@code [1, sequence, hidden]} of int64 ids {@code [1, sequence]}, owned by their manager
     * @return float32 {@code [hidden]}
     */
    protected final float[] meanState(int[] tokenIds, UnaryOperator<NDArray> pass) {
        if (tokenIds.length > contextLength()) {
            throw new IllegalArgumentException("The text holds " + tokenIds.length + " tokens; the context has " + contextLength());
        }
        try (NDManager step = Torch.manager().newSubManager(device())) {
            NDArray states = pass.apply(TokenBatch.tensor(step, new int[][] {tokenIds}, 0, tokenIds.length, vocabSize()));
            return states.toType(DataType.FLOAT32, false).mean(new int[] {1}).toFloatArray();
        }
    }

    @Override
    public final DecodeSession newSession(int capacity) {
        checkCapacity(capacity);
        return lifetime.hold(() -> openSession(capacity));
    }

    final void checkCapacity(int capacity) {
        throwIf(capacity < 1 || capacity > contextLength(),
                () -> new IllegalArgumentException("capacity = " + capacity + " is outside 1 .. " + contextLength()
                        + " (the context length): shorten the prompt or ask for fewer new tokens"));
    }

    /**
     * Opens a session with the model's engines, under a lease of the model.
     *
     * @param capacity tokens, between 1 and the context length
     * @return an empty session of this model
     */
    protected abstract CachedSession<?> openSession(int capacity);

    @Override
    public final float[][] appendEach(List<? extends DecodeSession> sessions, int[] tokenIds) {
        return CachedSession.appendEach(this, sessions, tokenIds);
    }

    /**
     * Always refuses: this model is loaded by its own factory method.
     *
     * @throws UnsupportedOperationException always
     */
    @Override
    public void load(Path modelPath, String prefix, Map<String, ?> options) throws IOException {
        throw new UnsupportedOperationException("This model is loaded already; load another with its static load method");
    }

    /**
     * Always refuses: DJL's parameter format supports neither bfloat16 nor tensors above 2 GiB.
     *
     * @throws UnsupportedOperationException always
     */
    @Override
    public void save(Path modelPath, String newModelName) throws IOException {
        throw new UnsupportedOperationException("Save through the checkpoint methods of " + getClass().getSimpleName() + ", as safetensors");
    }

    @Override
    public void setBlock(ai.djl.nn.Block newBlock) {
        throw new UnsupportedOperationException("The block of a frozen model cannot be exchanged");
    }

    /**
     * Releases the model's tensors. New calls are refused immediately; running calls on other threads end normally, and this waits for
     * them. Sessions, streams and views that are still open throw {@link IllegalStateException}, "This model is closed", but their owners
     * still have to close them. Closing twice only waits. Called within a call of the same thread, it returns at once, and the last call to
     * end releases the tensors.
     */
    @Override
    public final void close() {
        lifetime.close(this::free);
    }

    private void free() {
        try {
            release();
        } finally {
            super.close();
            Torch.manager().detachInternal(requests.getName()); // what others make with it is theirs to close
        }
    }

    /** Releases resources besides the manager, which is closed afterwards. Called once, when no computation is running. */
    protected void release() {
        // nothing by default
    }
}
