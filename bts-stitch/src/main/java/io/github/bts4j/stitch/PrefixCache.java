package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.bts4j.core.llama.DocumentMask;
import io.github.bts4j.core.llama.LlamaModel;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.TorchType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The streams before the first stitch on the disk, so that a sequence met again does not go through those layers again: nothing below the first stitch
 * trains. Worth its place on the disk where the same sequences come back: in later epochs (with {@code TokenDataset.withFixedWindows()}), in ablations of
 * the stitches above, and after an expert was exchanged, since every model has files of its own.
 *
 * <p>A state is found by the SHA-256 of its sequence's tokens in a file that names the SHA-256 of its model's files, the number of layers and the element
 * type: another model or other data cannot meet it. Every record has a checksum; a damaged one is computed again. States of 2 bytes per element are stored
 * as they are. Those of float32 models are rounded to bfloat16, and also used so when they were just computed, so that no result depends on what the cache
 * held. One sequence takes {@code 2 * sequence * hidden} bytes per model.
 *
 * <p>When the disk is full or the limit reached, training goes on and nothing more is stored. For one thread, and one process at a time, which is checked.
 */
public final class PrefixCache implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PrefixCache.class);

    private final Path folder;
    private final FileChannel lock;
    private final long maxBytes;
    private final Map<String, PrefixStore> stores = new HashMap<>();
    private boolean full;
    private long hits;
    private long misses;

    private PrefixCache(Path folder, FileChannel lock, long maxBytes) {
        this.folder = folder;
        this.lock = lock;
        this.maxBytes = maxBytes;
    }

    /**
     * Opens a cache without a limit of its size.
     *
     * @param folder the folder, made if absent
     * @return the cache, which the caller closes
     * @throws IOException if the folder cannot be written to
     * @throws IllegalStateException if another process, or this one, has it open
     */
    public static PrefixCache open(Path folder) throws IOException {
        return open(folder, Long.MAX_VALUE);
    }

    /**
     * Opens a cache.
     *
     * @param folder the folder, made if absent
     * @param maxBytes how large the states of all models together may become
     * @return the cache, which the caller closes
     * @throws IOException if the folder cannot be written to
     * @throws IllegalStateException if another process, or this one, has it open
     */
    public static PrefixCache open(Path folder, long maxBytes) throws IOException {
        Files.createDirectories(folder);
        FileChannel lock = FileChannel.open(folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        boolean free;
        try {
            free = lock.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            free = false;
        }
        if (!free) {
            lock.close();
            throw new IllegalStateException("The prefix cache in " + folder + " is open already: close it there, or use another folder");
        }
        return new PrefixCache(folder, lock, maxBytes);
    }

    /**
     * How many states were read instead of computed.
     *
     * @return sequences times models
     */
    public long hits() {
        return hits;
    }

    /**
     * How many states were computed.
     *
     * @return sequences times models
     */
    public long misses() {
        return misses;
    }

    /** The streams before the first stitch, {@code [batch, sequence, hidden]} each, read or computed; ids: int64 {@code [batch, sequence]}. */
    List<NDArray> states(NDManager step, Streams streams, Streams.Ropes ropes, List<LlamaModel> models, int layers, NDArray ids,
            Optional<DocumentMask> mask) {
        int rows = (int) ids.getShape().get(0);
        int length = (int) ids.getShape().get(1);
        List<TokensHash> hashes = TokensHash.ofRows(ids.toLongArray(), rows);
        List<NDArray> states = new ArrayList<>();
        for (int i = 0; i < models.size(); i++) {
            LlamaModel model = models.get(i);
            TorchType stored = model.type() == TorchType.FLOAT16 ? TorchType.FLOAT16 : TorchType.BFLOAT16;
            Shape shape = new Shape(rows, length, model.config().hiddenSize());
            ByteBuffer bytes = read(store(model, layers, length, stored, mask), hashes);
            NDArray state;
            if (bytes.hasRemaining()) {
                hits += rows;
                try (NDArray flat = step.create(bytes, new Shape(bytes.remaining()), DataType.UINT8);
                        NDArray own = Tensors.copyBytes(step, flat, 0, bytes.remaining())) {
                    state = Tensors.view(step, own, stored, 0, shape.getShape());
                }
            } else {
                misses += rows;
                try (NDArray computed = StitchedModel.KERNELS.tensor(step, Autograd.OFF, "stream_prefix", streams.arguments(ids, ropes, i, layers))) {
                    state = Tensors.place(step, computed, stored, computed.getDevice());
                }
                write(store(model, layers, length, stored, mask), hashes, state);
            }
            try (NDArray rounded = state) {
                states.add(Tensors.place(step, rounded, model.type(), model.device()));
            }
        }
        return states;
    }

    /** The states of all rows, or an empty buffer if one is missing or damaged. */
    private static ByteBuffer read(PrefixStore store, List<TokensHash> hashes) {
        if (!store.holds(hashes)) {
            return ByteBuffer.allocate(0);
        }
        try {
            return store.read(hashes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void write(PrefixStore store, List<TokensHash> hashes, NDArray state) {
        if (full) {
            return;
        }
        try {
            ByteBuffer bytes = Tensors.bytes(state).iterator().next();
            if (stores.values().stream().mapToLong(PrefixStore::bytes).sum() + bytes.remaining() > maxBytes) {
                full = true;
                LOG.info("The prefix cache in {} has reached its limit of {} bytes; nothing more is stored", folder, maxBytes);
                return;
            }
            store.write(hashes, bytes);
        } catch (IOException e) {
            full = true;
            LOG.warn("The prefix cache in {} cannot be written to ({}); nothing more is stored", folder, e.toString());
        }
    }

    private PrefixStore store(LlamaModel model, int layers, int length, TorchType stored, Optional<DocumentMask> mask) {
        String key;
        try {
            key = "bts4j prefix states 1\n" + model.fingerprint().files().entrySet().stream().sorted(Map.Entry.comparingByKey())
                    .map(file -> file.getKey() + " " + file.getValue() + "\n").collect(Collectors.joining())
                    + "layers " + layers + "\ntokens " + length + "\nhidden " + model.config().hiddenSize() + "\ncomputed in " + model.type()
                    + (model.isQuantized() ? " from int8" : "") + " on " + model.device().getDeviceType() + "\nstored as " + stored + "\n" + mask.map(m -> m + "\n").orElse("");
            PrefixStore store = stores.get(key);
            if (store == null) {
                store = PrefixStore.open(folder, key, length * model.config().hiddenSize() * stored.bytes());
                stores.put(key, store);
            }
            return store;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        for (PrefixStore store : stores.values()) {
            store.close();
        }
        lock.close();
    }
}
