package io.github.bts4j.train.eval;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.Sampler;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.Torch;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Scores texts after contexts:
 *
 * <pre>{@code logLikelihood = sum_t ln p(x_t | context, x_<t)}</pre>
 *
 * Texts become tokens as in lm-evaluation-harness (0.4.13): white space at the end of the context moves to the text, and the text's tokens are those of context
 * and text together, after as many as the context alone has. The beginning of sequences longer than the model's context is cut off; the harness, which never feeds the
 * last token, keeps one more token of them.
 *
 * <p>Sequences of similar lengths share a pass. Padding comes after the last token, which a causal model ignores. Thread-safe;
 * closes neither the model nor the tokenizer.
 */
public final class ContinuationScorer {
    /** Maximum number of logits of one pass: 256 MiB of float32. */
    private static final long LOGITS = 1L << 26;

    private final CausalLm model;
    private final Generator generator;
    private final ContinuationEncoder encoder;

    /**
     * Creates a scorer.
     *
     * @param model the model
     * @param tokenizer the tokenizer it was trained with
     * @throws IllegalArgumentException if the tokenizer has ids that the model does not have
     */
    public ContinuationScorer(CausalLm model, LlamaTokenizer tokenizer) {
        this.model = model;
        this.generator = new Generator(model, tokenizer);
        this.encoder = new ContinuationEncoder(tokenizer, model.contextLength());
    }

    /**
     * Log-likelihoods, computed without keeping the logits of all positions.
     *
     * @param continuations the texts
     * @return natural logarithms in the texts' order
     * @throws IllegalArgumentException if a text has no token of its own or too many, or the model's results are not finite
     */
    public double[] logLikelihoods(List<Continuation> continuations) {
        List<EncodedContinuation> encoded = continuations.stream().map(encoder::encode).toList();
        int[] order = longestFirst(encoded);
        float[][] logProbs = generator.logProbs(Arrays.stream(order).mapToObj(i -> encoded.get(i).ids()).toArray(int[][]::new));
        double[] sums = new double[order.length];
        for (int at = 0; at < order.length; at++) {
            float[] all = logProbs[at];
            for (int t = all.length - encoded.get(order[at]).scored(); t < all.length; t++) {
                sums[order[at]] += all[t];
            }
            requireNumber(sums[order[at]], continuations.get(order[at]));
        }
        return sums;
    }

    /**
     * Log-likelihoods, and whether greedy decoding would give the texts. Needs the logits of all positions of a pass; a pass has as many sequences as
     * 64 million logits allow, but at least one.
     *
     * @param continuations the texts
     * @return scores in the texts' order
     * @throws IllegalArgumentException if a text has no token of its own or too many, or the model's results are not finite
     */
    public List<ContinuationScore> scores(List<Continuation> continuations) {
        List<EncodedContinuation> encoded = continuations.stream().map(encoder::encode).toList();
        int[] order = longestFirst(encoded);
        ContinuationScore[] scores = new ContinuationScore[order.length];
        for (int from = 0; from < order.length; ) {
            long row = (long) encoded.get(order[from]).ids().length * model.vocabSize();
            int to = (int) Math.min(order.length, from + Math.max(1, LOGITS / row));
            score(encoded, Arrays.copyOfRange(order, from, to), scores);
            from = to;
        }
        return List.of(scores);
    }

    private void score(List<EncodedContinuation> encoded, int[] batch, ContinuationScore[] scores) {
        int width = encoded.get(batch[0]).ids().length - 1; // the last token is only predicted
        int[][] padded = Arrays.stream(batch).mapToObj(i -> encoded.get(i).ids()).map(ids -> Arrays.copyOf(Arrays.copyOf(ids, ids.length - 1), width))
                .toArray(int[][]::new);
        try (NDManager scope = Torch.manager().newSubManager(model.device())) {
            NDArray logits = model.forward(TokenBatch.tensor(scope, padded, 0, width, model.vocabSize())); // [batch, width, vocabulary]
            for (int row = 0; row < batch.length; row++) {
                EncodedContinuation one = encoded.get(batch[row]);
                try (NDArray predictions = logits.get(new NDIndex("{}, {}:{}", row, one.from() - 1, one.ids().length - 1))) { // [scored, vocabulary]
                    scores[batch[row]] = score(one, predictions.toFloatArray());
                }
            }
        }
    }

    private ContinuationScore score(EncodedContinuation one, float[] predictions) {
        double sum = 0;
        boolean greedy = true;
        for (int t = 0; t < one.scored(); t++) {
            float[] logits = Arrays.copyOfRange(predictions, t * model.vocabSize(), (t + 1) * model.vocabSize());
            int target = one.ids()[one.from() + t];
            sum += Sampler.logProb(logits, target);
            greedy &= Sampler.mostLikely(logits, 1).get(0).id() == target;
        }
        return new ContinuationScore(sum, greedy);
    }

    private static int[] longestFirst(List<EncodedContinuation> encoded) {
        Comparator<Integer> byLength = Comparator.comparingInt(i -> -encoded.get(i).ids().length);
        return IntStream.range(0, encoded.size()).boxed().sorted(byLength).mapToInt(Integer::intValue).toArray();
    }

    private static void requireNumber(double logLikelihood, Continuation continuation) {
        if (!Double.isFinite(logLikelihood)) {
            throw new IllegalArgumentException("The model gives '" + continuation.text() + "' the log-likelihood " + logLikelihood
                    + ": are its weights finite and its dtype wide enough?");
        }
    }
}
