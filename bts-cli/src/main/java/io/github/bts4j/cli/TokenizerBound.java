package io.github.bts4j.cli;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.ForwardingTrainable;
import io.github.bts4j.train.Pass;
import io.github.bts4j.train.Trainable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A training that can only be resumed with the same tokenizer, since another one gives different tokens. */
final class TokenizerBound extends ForwardingTrainable {
    private final Trainable inner;
    private final String sha256;

    TokenizerBound(Trainable inner, LlamaTokenizer tokenizer) {
        super(inner);
        this.inner = inner;
        this.sha256 = tokenizer.sha256();
    }

    @Override
    public List<float[]> accumulateStep(List<Pass> passes, int lanes) {
        return inner.accumulateStep(passes, lanes);
    }

    @Override
    public List<float[][]> tokenLosses(List<int[][]> batches) {
        return inner.tokenLosses(batches);
    }

    @Override
    public Map<String, String> identity() {
        Map<String, String> identity = new LinkedHashMap<>(super.identity());
        identity.put("tokenizer", sha256);
        return identity;
    }
}
