package io.github.bts4j.core;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The KV states of prompts' beginnings, for prompts that begin with the same tokens: system prompts, and the earlier turns of a conversation.
 *
 * <p>States are kept in {@linkplain #block blocks} of {@link #BLOCK} tokens, and behind the last of them in smaller ones. A block belongs to a model's weights, to its own
 * tokens and to all tokens before it, which are compared one by one, so that no prompt can get another one's states. Sessions process prompts in the same blocks whether
 * there is a cache or not; a prompt whose beginning is found has the same logits, bit for bit, as one that is processed. When the cache is full, the blocks that were not
 * used for the longest time go first.
 *
 * <p>Thread-safe. The caller closes it, after the sessions that use it or before.
 */
public final class PrefixCache implements AutoCloseable {
    /** Tokens of a whole block. */
    public static final int BLOCK = 256;

    /** Tokens of the smallest block; less is processed again faster than it is worth another pass. */
    private static final int SMALLEST = 64;

    private final long maxBytes;
    private final Map<Key, Node> nodes = new LinkedHashMap<>(16, 0.75f, true); // in the order of use
    private long bytes;
    private long lastNumber;
    private long reusedTokens;
    private boolean closed;

    /**
     * Creates an empty cache.
     *
     * @param maxBytes most bytes of KV states, on the model's device, at least 1
     */
    public PrefixCache(long maxBytes) {
        throwIf(maxBytes < 1, () -> new IllegalArgumentException("maxBytes = " + maxBytes + ", must be at least 1"));
        this.maxBytes = maxBytes;
    }

    /**
     * The next block of a prompt. Blocks end at multiples of {@link #BLOCK}. Prompts that are longer than one of them end with blocks of a half and a quarter of that
     * number, as far as they fit, so that two prompts that differ in their last words alone share nearly everything before.
     *
     * @param length tokens that are processed, or restored
     * @param left tokens of the prompt that are not, at least 1
     * @return the block's tokens; 0 if all that are left belong to the last pass, which gives the prompt's logits
     */
    static int block(int length, int left) {
        int smallest = length < BLOCK ? BLOCK : SMALLEST;
        for (int size = BLOCK; size >= smallest; size /= 2) {
            int rest = size - length % size;
            if (rest < left) {
                return rest;
            }
        }
        return 0;
    }

    /** A model's weights: the engines that compute with them. Does not keep them in memory. */
    private static final class Owner extends WeakReference<Object> {
        private final int hash;

        Owner(Object engines) {
            super(engines);
            this.hash = System.identityHashCode(engines);
        }

        @Override
        public boolean equals(Object other) {
            return this == other || other instanceof Owner owner && get() != null && get() == owner.get();
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    /** A block's weights, the number of the block before it, and its tokens. */
    private record Key(Owner owner, long before, int[] tokens) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Key key && before == key.before && owner.equals(key.owner) && Arrays.equals(tokens, key.tokens);
        }

        @Override
        public int hashCode() {
            return 31 * (31 * owner.hashCode() + Long.hashCode(before)) + Arrays.hashCode(tokens);
        }
    }

    private static final class Node {
        private final long number;
        private final KvState.Block block;
        private Optional<Node> before = Optional.empty();
        private int followers;
        private boolean gone;

        Node(long number, KvState.Block block) {
            this.number = number;
            this.block = block;
        }

        void follow(Node node) {
            before = Optional.of(node);
            node.followers++;
        }
    }

    /** The blocks that a session's tokens consist of so far. */
    final class Prefix {
        private final Owner owner;
        private Optional<Node> last = Optional.empty();
        private int tokens;

        private Prefix(Owner owner) {
            this.owner = owner;
        }

        private Key next(int... block) {
            return new Key(owner, last.map(node -> node.number).orElse(0L), block);
        }

        private void append(Key key, Node node) {
            last = Optional.of(node);
            tokens += key.tokens.length;
        }

        /**
         * Restores the states of as many of a session's next tokens as there are blocks for, but leaves at least one token.
         *
         * @return the number of tokens
         */
        int restore(KvState state, int length, int... ids) {
            synchronized (PrefixCache.this) {
                List<Key> used = new ArrayList<>();
                int at = 0;
                while (tokens == length + at) {
                    Key key = next(Arrays.copyOfRange(ids, at, at + block(tokens, ids.length - at)));
                    Node found = nodes.get(key);
                    if (found == null) {
                        break; // or nothing is left but the last pass
                    }
                    state.restore(found.block, tokens);
                    append(key, found);
                    used.add(0, key);
                    at += key.tokens.length;
                }
                used.forEach(nodes::get); // a block is younger than those after it
                reusedTokens += at;
                return at;
            }
        }

        /** Keeps the states of a session's next block, which the session has just processed in one pass; not those of a last pass that is no block of a longer prompt. */
        void keep(int length, int[] block, Supplier<KvState.Block> copy) {
            synchronized (PrefixCache.this) {
                if (closed || tokens != length || block(length, block.length + 1) != block.length || last.filter(node -> node.gone).isPresent()) {
                    return;
                }
                Key key = next(block);
                Node node = nodes.get(key);
                if (node == null) {
                    node = new Node(++lastNumber, copy.get());
                    last.ifPresent(node::follow);
                    nodes.put(key, node);
                    bytes += node.block.bytes();
                }
                append(key, node);
                evict();
            }
        }
    }

    /** The beginning of an empty session. */
    Prefix begin(Object engines) {
        return new Prefix(new Owner(engines));
    }

    private void evict() {
        nodes.entrySet().removeIf(entry -> entry.getKey().owner.get() == null && free(entry.getValue()));
        Iterator<Node> eldest = nodes.values().iterator();
        while (bytes > maxBytes && eldest.hasNext()) {
            Node node = eldest.next();
            if (node.followers == 0) {
                eldest.remove();
                free(node);
            }
        }
    }

    private boolean free(Node node) {
        node.before.ifPresent(before -> before.followers--);
        bytes -= node.block.bytes();
        node.block.close();
        node.gone = true;
        return true;
    }

    /** {@return the bytes of all blocks} */
    public synchronized long bytes() {
        return bytes;
    }

    /** {@return how many tokens of prompts did not have to be processed, so far} */
    public synchronized long reusedTokens() {
        return reusedTokens;
    }

    /** Releases all blocks. Sessions that use the cache continue without it. Closing twice does nothing. */
    @Override
    public synchronized void close() {
        closed = true;
        nodes.values().forEach(this::free);
        nodes.clear();
    }
}
