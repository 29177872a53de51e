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
 * <p>States are kept in blocks of {@link #BLOCK} tokens. A block belongs to a model's weights, to its own tokens and to all tokens before it, which are compared one by
 * one, so that no prompt can get another one's states. Sessions process prompts in the same blocks whether there is a cache or not; a prompt whose beginning is found has
 * the same logits, bit for bit, as one that is processed. When the cache is full, the blocks that were not used for the longest time go first.
 *
 * <p>Thread-safe. The caller closes it, after the sessions that use it or before.
 */
public final class PrefixCache implements AutoCloseable {
    /** Tokens of a block. */
    public static final int BLOCK = 256;

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

        private Key next(int[] ids, int from) {
            return new Key(owner, last.map(node -> node.number).orElse(0L), Arrays.copyOfRange(ids, from, from + BLOCK));
        }

        private void append(Node node) {
            last = Optional.of(node);
            tokens += BLOCK;
        }

        /**
         * Restores the states of as many of a session's next tokens as there are blocks for, but leaves at least one token.
         *
         * @return the number of tokens
         */
        int restore(KvState state, int length, int[] ids, int from) {
            synchronized (PrefixCache.this) {
                List<Key> used = new ArrayList<>();
                int at = from;
                while (tokens == length + at - from && at + BLOCK < ids.length) {
                    Key key = next(ids, at);
                    Node found = nodes.get(key);
                    if (found == null) {
                        break;
                    }
                    state.restore(found.block, tokens);
                    append(found);
                    used.add(0, key);
                    at += BLOCK;
                }
                used.forEach(nodes::get); // a block is younger than those after it
                reusedTokens += at - from;
                return at - from;
            }
        }

        /** Keeps the states of a session's next block, which the session has just processed in one pass. */
        void keep(int length, int[] block, Supplier<KvState.Block> copy) {
            synchronized (PrefixCache.this) {
                if (closed || tokens != length || block.length != BLOCK || last.filter(node -> node.gone).isPresent()) {
                    return;
                }
                Key key = next(block, 0);
                Node node = nodes.get(key);
                if (node == null) {
                    node = new Node(++lastNumber, copy.get());
                    last.ifPresent(node::follow);
                    nodes.put(key, node);
                    bytes += node.block.bytes();
                }
                append(node);
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
