package io.github.bts4j.core.torch.llama;

import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.TensorEntry;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.TensorLoader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tensors in a checkpoint's folder, and the matching configuration.
 *
 * @param config config.json; untied where the head that is stored differs from the embedding table
 * @param tensors the model's tensors and the scales of those in int8, by their names
 * @param isInt8 whether there are any scales
 */
record StoredTensors(LlamaConfig config, Map<String, TensorEntry> tensors, boolean isInt8) {
    private static final Logger LOG = LoggerFactory.getLogger(StoredTensors.class);
    private static final String EMBED_TOKENS = "model.embed_tokens.weight";
    private static final String LM_HEAD = "lm_head.weight";
    private static final int PIECE = 1 << 20;

    static StoredTensors read(Path folder) throws IOException {
        LlamaConfig config = LlamaConfig.read(folder);
        Map<String, TensorEntry> entries = new LinkedHashMap<>();
        Checkpoint.open(folder).entries().forEach(entry -> entries.put(entry.name(), entry));
        Map<String, TensorEntry> scales = Int8Weights.takeScales(entries, folder);
        FusedTensors.split(config, entries, TensorEntry::shape, StoredTensors::rows, folder);
        FusedTensors.split(config, scales, TensorEntry::shape, StoredTensors::rows, folder);
        LlamaConfig fitting = config.tieWordEmbeddings() ? tied(config, entries, folder) : config;
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        entries.forEach((name, entry) -> shapes.put(name, entry.shape()));
        LlamaTensors.check(fitting, shapes, folder);
        Map<String, TensorEntry> wanted = new LinkedHashMap<>();
        LlamaTensors.shapes(fitting).keySet().forEach(name -> wanted.put(name, entries.get(name)));
        wanted.putAll(scales);
        return new StoredTensors(fitting, wanted, !scales.isEmpty());
    }

    private static TensorEntry rows(TensorEntry entry, String name, long from, long count) {
        List<Long> shape = new ArrayList<>(entry.shape());
        long row = entry.length() / shape.set(0, count);
        return new TensorEntry(name, entry.type(), shape, entry.file(), entry.offset() + from * row, count * row);
    }

    /** Tied embeddings as in transformers 5: a single tensor is used for both; two different tensors are not tied. */
    private static LlamaConfig tied(LlamaConfig config, Map<String, TensorEntry> entries, Path folder) throws IOException {
        TensorEntry head = entries.get(LM_HEAD);
        TensorEntry embedding = entries.get(EMBED_TOKENS);
        if (head == null) {
            return config;
        }
        if (embedding == null && !Int8Weights.isStored(head)) {
            entries.remove(LM_HEAD);
            entries.put(EMBED_TOKENS, new TensorEntry(EMBED_TOKENS, head.type(), head.shape(), head.file(), head.offset(), head.length()));
            return config;
        }
        if (embedding == null || !head.shape().equals(embedding.shape()) || areEqual(head, embedding)) {
            return config;
        }
        LOG.warn("{}: tie_word_embeddings is true, but {} differs from {} and is used, as in transformers. Set tie_word_embeddings to false to avoid this warning", folder, LM_HEAD, EMBED_TOKENS);
        return config.withTieWordEmbeddings(false);
    }

    /** Whether two tensors hold the same bytes of the same type. */
    private static boolean areEqual(TensorEntry a, TensorEntry b) throws IOException {
        if (a.type() != b.type() || a.length() != b.length()) {
            return false;
        }
        try (FileChannel first = FileChannel.open(a.file()); FileChannel second = FileChannel.open(b.file())) {
            for (long at = 0; at < a.length(); at += PIECE) {
                int size = (int) Math.min(PIECE, a.length() - at);
                if (!piece(first, a.offset() + at, size).equals(piece(second, b.offset() + at, size))) {
                    return false;
                }
            }
            return true;
        }
    }

    private static ByteBuffer piece(FileChannel file, long at, int size) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(size);
        int read = 0;
        while (bytes.hasRemaining() && read >= 0) {
            read = file.read(bytes, at + bytes.position());
        }
        return bytes.flip();
    }

    /** The type that the tensors share; a checkpoint of several types computes in the one its configuration names. */
    ElementType type() {
        List<ElementType> types = tensors.values().stream().filter(entry -> !Int8Weights.isStored(entry) && !entry.name().endsWith(Int8Weights.SCALE))
                .map(TensorLoader::torchType).distinct().toList();
        return types.size() == 1 ? types.get(0) : config.dtype().elementType();
    }

    List<TensorEntry> entries(Collection<String> names) {
        return names.stream().map(tensors::get).toList();
    }
}
