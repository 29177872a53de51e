package io.github.bts4j.train.eval;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Goes on as written down: greedy decoding of a text's beginning gives the rest of it, and then the end token. */
final class ScriptedLm implements CausalLm {
    private final LlamaTokenizer tokenizer;
    private final List<int[]> scripts;
    private final int contextLength;
    private int open;
    private int mostOpen;

    ScriptedLm(LlamaTokenizer tokenizer, int contextLength, List<String> scripts) {
        this.tokenizer = tokenizer;
        this.contextLength = contextLength;
        this.scripts = scripts.stream().map(text -> tokenizer.encode(text, true)).toList();
    }

    int open() {
        return open;
    }

    int mostOpen() {
        return mostOpen;
    }

    private float[] next(int[] ids) {
        float[] logits = new float[vocabSize()];
        int next = tokenizer.eosTokenId().orElseThrow();
        for (int[] script : scripts) {
            for (int from = 0; from + ids.length < script.length; from++) { // prompts may have lost their beginning
                if (Arrays.equals(script, from, from + ids.length, ids, 0, ids.length)) {
                    next = script[from + ids.length];
                }
            }
        }
        logits[next] = 10;
        return logits;
    }

    @Override
    public DecodeSession newSession(int capacity) {
        open++;
        mostOpen = Math.max(mostOpen, open);
        return new Session(capacity);
    }

    private final class Session implements DecodeSession {
        private final int capacity;
        private int[] ids = {};
        private boolean closed;

        Session(int capacity) {
            this.capacity = capacity;
        }

        @Override
        public float[] append(int... tokenIds) {
            ids = IntStream.concat(Arrays.stream(ids), Arrays.stream(tokenIds)).toArray();
            return next(ids);
        }

        @Override
        public int length() {
            return ids.length;
        }

        @Override
        public int capacity() {
            return capacity;
        }

        @Override
        public void close() {
            open -= closed ? 0 : 1;
            closed = true;
        }
    }

    @Override
    public float[][] appendEach(List<? extends DecodeSession> sessions, int[] tokenIds) {
        return IntStream.range(0, tokenIds.length).mapToObj(i -> sessions.get(i).append(tokenIds[i])).toArray(float[][]::new);
    }

    @Override
    public int vocabSize() {
        return tokenizer.vocabSize();
    }

    @Override
    public int contextLength() {
        return contextLength;
    }

    @Override
    public Device device() {
        return Device.cpu();
    }

    @Override
    public NDArray forward(NDArray tokenIds) {
        throw new UnsupportedOperationException();
    }

    @Override
    public float[][] tokenLosses(int[][] tokens) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
}
