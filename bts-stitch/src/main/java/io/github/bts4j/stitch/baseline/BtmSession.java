package io.github.bts4j.stitch.baseline;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.FrozenLm;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.TokenBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A session of an ensemble: one session per model and the posterior over them. For one thread at a time. */
final class BtmSession implements DecodeSession {
    private final Lifetime lifetime;
    private final List<DecodeSession> sessions = new ArrayList<>();
    private final int vocabSize;
    private final Posterior posterior;
    private List<double[]> next = List.of();

    BtmSession(Lifetime state, List<FrozenLm> models, int topK, int capacity) {
        lifetime = Lifetime.exclusive("session", state);
        vocabSize = models.get(0).vocabSize();
        posterior = new Posterior(models.size(), topK);
        try {
            for (CausalLm model : models) {
                sessions.add(model.newSession(capacity));
            }
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    @Override
    @SuppressWarnings("try") // the lease only has to be open
    public float[] append(int... tokenIds) {
        try (Lifetime.Lease use = lifetime.use()) {
            return appended(tokenIds);
        }
    }

    private float[] appended(int[] tokenIds) {
        if (tokenIds.length == 0 || tokenIds.length > capacity() - length()) {
            throw new IllegalArgumentException(tokenIds.length + " new tokens: the session holds " + length() + " of " + capacity() + "; append between 1 and "
                    + (capacity() - length()) + ", or open a session with a larger capacity");
        }
        TokenBatch.check(new int[][] {tokenIds}, vocabSize);
        float[] mixed = new float[0];
        try {
            for (int token : tokenIds) {
                mixed = appendOne(token);
            }
        } catch (RuntimeException | Error e) {
            close(); // the models may be at different tokens
            throw e;
        }
        return mixed;
    }

    private float[] appendOne(int token) {
        List<double[]> logProbs = new ArrayList<>();
        for (DecodeSession session : sessions) {
            logProbs.add(logSoftmax(session.append(token)));
        }
        if (!next.isEmpty()) { // the first token is given, not predicted
            posterior.observe(next.stream().mapToDouble(probs -> probs[token]).toArray());
        }
        next = logProbs;
        return mixture(logProbs);
    }

    private float[] mixture(List<double[]> logProbs) {
        double[] weights = Arrays.stream(posterior.mixingLogWeights()).map(Math::exp).toArray();
        float[] mixed = new float[logProbs.get(0).length];
        for (int v = 0; v < mixed.length; v++) {
            double p = 0;
            for (int i = 0; i < weights.length; i++) {
                p += weights[i] * Math.exp(logProbs.get(i)[v]);
            }
            mixed[v] = (float) Math.log(p);
        }
        return mixed;
    }

    private static double[] logSoftmax(float[] logits) {
        double[] values = new double[logits.length];
        for (int v = 0; v < values.length; v++) {
            values[v] = logits[v];
        }
        double norm = Posterior.logSumExp(values);
        for (int v = 0; v < values.length; v++) {
            values[v] -= norm;
        }
        return values;
    }

    @Override
    public int length() {
        return sessions.get(0).length();
    }

    @Override
    public int capacity() {
        return sessions.get(0).capacity();
    }

    @Override
    public void close() {
        lifetime.close(() -> sessions.forEach(DecodeSession::close));
    }
}
