package io.github.bts4j.stitch.baseline;

import io.github.bts4j.core.DecodeBatch;
import io.github.bts4j.core.DecodeEngine;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.KvState;
import io.github.bts4j.core.torch.FrozenLm;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Decodes an ensemble: every model processes every token with its own engines, and the posterior weights their predictions. */
final class BtmEngine implements DecodeEngine<BtmEngine.State> {
    private final List<FrozenLm> models;
    private final int topK;

    BtmEngine(List<FrozenLm> models, int topK) {
        this.models = models;
        this.topK = topK;
    }

    /** A session of each model, and the posterior over them. */
    static final class State implements KvState {
        private final List<DecodeSession> sessions = new ArrayList<>();
        private final Posterior posterior;
        private List<double[]> next = List.of(); // log-probabilities of the next token, by model

        private State(Posterior posterior) {
            this.posterior = posterior;
        }

        /** Adds a token and each model's predictions after it; returns the mixture of the predictions. */
        private float[] append(int token, List<double[]> logProbs) {
            if (!next.isEmpty()) { // nothing predicts the first token
                posterior.observe(next.stream().mapToDouble(probs -> probs[token]).toArray());
            }
            next = logProbs;
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

        @Override
        public void close() {
            sessions.forEach(DecodeSession::close);
        }
    }

    State state(int capacity) {
        State state = new State(new Posterior(models.size(), topK));
        try {
            models.forEach(model -> state.sessions.add(model.newSession(capacity)));
        } catch (RuntimeException | Error e) {
            state.close();
            throw e;
        }
        return state;
    }

    @Override
    public boolean prefers(DecodeBatch<State> batch) {
        return true;
    }

    /** A prompt is processed token by token: the posterior needs each model's prediction of every token. */
    @Override
    public float[][] decode(DecodeBatch<State> batch) {
        try {
            if (!batch.isPrompt()) {
                return next(batch.tokens(), batch.states());
            }
            float[][] mixed = {};
            for (int token : batch.tokens()) {
                mixed = next(new int[] {token}, batch.states());
            }
            return mixed;
        } catch (RuntimeException | Error e) {
            batch.states().forEach(State::close); // the models may be at different tokens
            throw e;
        }
    }

    private float[][] next(int[] tokens, List<State> states) {
        List<float[][]> logits = new ArrayList<>();
        for (int i = 0; i < models.size(); i++) {
            int model = i;
            logits.add(models.get(i).appendEach(states.stream().map(state -> state.sessions.get(model)).toList(), tokens));
        }
        float[][] mixed = new float[tokens.length][];
        Arrays.setAll(mixed, s -> states.get(s).append(tokens[s], logits.stream().map(each -> logSoftmax(each[s])).toList()));
        return mixed;
    }

    private static double[] logSoftmax(float[] logits) {
        double[] values = new double[logits.length];
        Arrays.setAll(values, v -> logits[v]);
        double norm = Posterior.logSumExp(values);
        Arrays.setAll(values, v -> values[v] - norm);
        return values;
    }
}
