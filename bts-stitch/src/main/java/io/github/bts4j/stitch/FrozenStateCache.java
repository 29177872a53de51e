package io.github.bts4j.stitch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.LockedException;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.KernelChoices;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.llama.LlamaModel;
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
 * A disk cache of hidden states that do not depend on trained weights, so that repeated sequences skip those layers: all streams before the first stitch, and the
 * hub also before later stitches up to the first Experts-into-Hub one ({@link StitchConfig#frozenLayers}). It is useful if the same
 * sequences are repeated: in later epochs (with {@code TokenDataset.withFixedWindows()}), in validation, in ablations of the stitches, and after an expert
 * was exchanged, since each model has separate files.
 *
 * <p>The key of a state is the SHA-256 of its sequence's tokens; the key of a file is the SHA-256 of the model's files, the number of layers and the element
 * type. So other models or data never share a state, and other layouts of stitches only if they need the same layers. Every record has a checksum; a
 * damaged one is recomputed. States with 2 bytes per element are stored exactly. States of float32 models are rounded to bfloat16, even if
 * they were just computed, so that results do not depend on the content of the cache. A token takes {@code 2 * hidden} bytes per state: one state for each of n + 1 streams, and
 * one more for the hub if the first stitch is Hub-into-Experts, that is, with an even number of alternating stitches.
 *
 * <p>If the disk is full or the limit is reached, training continues and nothing more is stored. Only one process may open a cache, which is checked. Thread-safe; closing
 * waits for a running pass.
 */
public final class FrozenStateCache implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FrozenStateCache.class);
    private static final int MAX_RECORD = 1 << 30;

    private final Path folder;
    private final FileChannel lock;
    private final long maxBytes;
    private final Map<String, Optional<FrozenStateStore>> stores = new HashMap<>();
    /** One record that is being read. */
    private ByteBuffer buffer = ByteBuffer.allocateDirect(0);
    private boolean full;
    private long hits;
    private long misses;

    private FrozenStateCache(Path folder, FileChannel lock, long maxBytes) {
        this.folder = folder;
        this.lock = lock;
        this.maxBytes = maxBytes;
    }

    /**
     * Opens a cache without a size limit.
     *
     * @param folder the folder, made if absent
     * @return the cache, which the caller closes
     * @throws IOException if the folder cannot be written to
     * @throws LockedException if another process, or this one, has it open
     */
    public static FrozenStateCache open(Path folder) throws IOException {
        return open(folder, Long.MAX_VALUE);
    }

    /**
     * Opens a cache.
     *
     * @param folder the folder, made if absent
     * @param maxBytes limit on the size of all states together
     * @return the cache, which the caller closes
     * @throws IOException if the folder cannot be written to
     * @throws LockedException if another process, or this one, has it open
     */
    public static FrozenStateCache open(Path folder, long maxBytes) throws IOException {
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
            throw new LockedException(folder, "The frozen-state cache in " + folder + " is open already: close it there, or use another folder");
        }
        return new FrozenStateCache(folder, lock, maxBytes);
    }

    /** {@return the number of states that were read instead of computed: sequences times states of one sequence} */
    public synchronized long hits() {
        return hits;
    }

    /** {@return the number of states that were computed: sequences times states of one sequence} */
    public synchronized long misses() {
        return misses;
    }

    /** All frozen states of a pass, read or computed. */
    synchronized FrozenStates states(FrozenStates.Pass pass, Attention attention) {
        int length = Math.toIntExact(pass.ids().getShape().get(1));
        List<TokensHash> rows = TokensHash.ofRows(attention.keys(pass.ids()), Math.toIntExact(pass.ids().getShape().get(0)));
        List<List<NDArray>> states = new ArrayList<>();
        for (int i = 0; i < pass.streams().models().size(); i++) {
            LlamaModel model = pass.streams().models().get(i);
            List<Optional<FrozenStateStore>> stores = pass.config().cachedLayers(i).stream().map(layers -> store(model, layers, length, attention)).toList();
            boolean open = stores.stream().allMatch(Optional::isPresent);
            states.add(open ? states(pass, i, stores.stream().flatMap(Optional::stream).toList(), rows) : computed(pass, i, rows, List.of()));
        }
        List<NDArray> hub = states.get(0);
        return new FrozenStates(states.stream().map(stream -> stream.get(0)).toList(), hub.subList(1, hub.size()));
    }

    /** The states of stream i, either all read or all computed. */
    private List<NDArray> states(FrozenStates.Pass pass, int i, List<FrozenStateStore> stores, List<TokensHash> rows) {
        LlamaModel model = pass.streams().models().get(i);
        List<NDArray> states = new ArrayList<>();
        if (stores.stream().allMatch(store -> store.holds(rows))) {
            for (FrozenStateStore store : stores) {
                read(pass.scope(), store, rows, model).ifPresent(states::add);
            }
        }
        if (states.size() == stores.size()) {
            hits += (long) rows.size() * stores.size();
            return states;
        }
        states.forEach(NDArray::close); // another one was damaged
        return computed(pass, i, rows, stores);
    }

    /** Computes the states of stream i, rounded as if they had been read, and writes them if there are stores. */
    private List<NDArray> computed(FrozenStates.Pass pass, int i, List<TokensHash> rows, List<FrozenStateStore> stores) {
        LlamaModel model = pass.streams().models().get(i);
        List<NDArray> states = new ArrayList<>();
        for (NDArray computed : pass.stream(i)) {
            try (computed; NDArray rounded = Tensors.place(pass.scope(), computed, stored(model), computed.getDevice())) {
                if (!stores.isEmpty()) {
                    write(stores.get(states.size()), rows, rounded);
                }
                states.add(Tensors.place(pass.scope(), rounded, model.type(), model.device()));
            }
        }
        misses += (long) rows.size() * states.size();
        return states;
    }

    /** The states of all rows, {@code [batch, sequence, hidden]}; empty if one is damaged. */
    private Optional<NDArray> read(NDManager scope, FrozenStateStore store, List<TokensHash> rows, LlamaModel model) {
        int size = store.recordSize();
        if (buffer.capacity() < size) {
            buffer = ByteBuffer.allocateDirect(size);
        }
        try (NDArray bytes = Tensors.zeros(scope, ElementType.UINT8, Device.cpu(), (long) rows.size() * size)) {
            for (int row = 0; row < rows.size(); row++) {
                if (!store.read(rows.get(row), buffer.clear().limit(size))) {
                    return Optional.empty();
                }
                Tensors.writeBytes(bytes, (long) row * size, buffer);
            }
            int hidden = model.config().hiddenSize();
            try (NDArray state = Tensors.view(scope, bytes, stored(model), 0, rows.size(), size / (hidden * stored(model).bytes()), hidden)) {
                return Optional.of(Tensors.place(scope, state, model.type(), model.device()));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void write(FrozenStateStore store, List<TokensHash> rows, NDArray state) {
        int row = 0;
        for (ByteBuffer record : Tensors.bytes(state, store.recordSize())) {
            TokensHash hash = rows.get(row++);
            if (!full && !store.holds(List.of(hash))) {
                append(store, hash, record);
            }
        }
    }

    private void append(FrozenStateStore store, TokensHash hash, ByteBuffer record) {
        try {
            if (stores.values().stream().flatMap(Optional::stream).mapToLong(FrozenStateStore::bytes).sum() + record.remaining() > maxBytes) {
                full = true;
                LOG.info("The frozen-state cache in {} has reached its limit of {} bytes; nothing more is stored", folder, maxBytes);
                return;
            }
            store.append(hash, record);
        } catch (IOException e) {
            giveUp(e);
        }
    }

    private void giveUp(IOException e) {
        if (!full) {
            full = true;
            LOG.warn("The frozen-state cache in {} cannot be written to ({}); nothing more is stored", folder, e.getMessage());
        }
    }

    private static ElementType stored(LlamaModel model) {
        return model.type() == ElementType.FLOAT16 ? ElementType.FLOAT16 : ElementType.BFLOAT16;
    }

    /** The store of states after a number of layers; empty if its file cannot be created. */
    private Optional<FrozenStateStore> store(LlamaModel model, int layers, int length, Attention attention) {
        ElementType stored = stored(model);
        String key = "bts4j frozen states 1\n" + files(model) + "layers " + layers + "\ntokens " + length + "\nhidden " + model.config().hiddenSize()
                + "\ncomputed in " + model.type() + (model.isQuantized() ? " from " + String.join(", ", model.quantizedTypes()) : "") + " on " + model.device().getDeviceType() + "\nstored as " + stored + "\n" + attention.name() + KernelChoices.current().unusualForward();
        return stores.computeIfAbsent(key, k -> open(k, recordSize((long) length * model.config().hiddenSize() * stored.bytes())));
    }

    private static String files(LlamaModel model) {
        try {
            return model.fingerprint().files().entrySet().stream().sorted(Map.Entry.comparingByKey())
                    .map(file -> file.getKey() + " " + file.getValue() + "\n").collect(Collectors.joining());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Optional<FrozenStateStore> open(String key, int recordSize) {
        try {
            return Optional.of(FrozenStateStore.open(folder, key, recordSize));
        } catch (IOException e) {
            giveUp(e);
            return Optional.empty();
        }
    }

    private static int recordSize(long bytes) {
        throwIf(bytes > MAX_RECORD,
                () -> new IllegalArgumentException("A state of one sequence takes " + bytes + " bytes, a frozen-state cache at most " + MAX_RECORD
                        + ": train on shorter sequences, or without the cache"));
        return (int) bytes;
    }

    @Override
    public synchronized void close() throws IOException {
        for (Optional<FrozenStateStore> store : stores.values()) {
            if (store.isPresent()) {
                store.get().close();
            }
        }
        lock.close();
    }
}
