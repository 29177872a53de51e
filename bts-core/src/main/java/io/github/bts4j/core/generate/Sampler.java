package io.github.bts4j.core.generate;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.support.SplitMix64;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Chooses the next token from the logits. In the order of Hugging Face transformers 5 ({@code generation/utils.py}, {@code _get_logits_processor}): the
 * {@link Penalties}, then, unless the temperature is 0, temperature, top-k, top-p and min-p, each applied to the result of the one before; then one draw.
 *
 * <p>One random number is used for each drawn token, from SplitMix64 seeded with {@link GenerationConfig#seed}: the same logits and options give the same
 * tokens, on every version of Java. Greedy decoding uses none, and takes the lowest of equally likely ids, like {@code torch.argmax}.
 *
 * <p>It reuses its arrays and uses heaps instead of sorting for top-k and top-p. Not thread-safe: use one sampler per text.
 */
public final class Sampler {

    private final GenerationConfig config;
    private final int promptLength;
    private final SplitMix64 random;
    private final Candidates candidates = new Candidates();
    private float[] penalized = {};

    /**
     * Starts a text without a prompt.
     *
     * @param config the options; those for the end of the text are not used
     */
    public Sampler(GenerationConfig config) {
        this(config, 0);
    }

    /**
     * Starts a text.
     *
     * @param config the options; those for the end of the text are not used
     * @param promptLength how many ids of the text are the prompt, whose tokens presence and frequency penalties ignore
     */
    public Sampler(GenerationConfig config, int promptLength) {
        this.config = Objects.requireNonNull(config, "config");
        this.promptLength = promptLength;
        random = new SplitMix64(config.seed());
    }

    /**
     * Chooses the next token.
     *
     * @param logits the model's logits for the next token, {@code [vocabulary]}; minus infinity excludes a token. Not changed
     * @param tokens the ids of the text so far, prompt and output, which only the penalties use
     * @return the id of the next token
     * @throws IllegalArgumentException if a logit is NaN or plus infinity, if all are minus infinity, or if an id is negative
     */
    public int next(float[] logits, int[] tokens) {
        return next(logits, tokens, tokens.length);
    }

    /**
     * Chooses the next token, with the text so far in a buffer that is longer than it.
     *
     * @param logits the model's logits for the next token, {@code [vocabulary]}; minus infinity excludes a token. Not changed
     * @param tokens a buffer that begins with the ids of the text so far, prompt and output, which only the penalties use
     * @param count how many ids the text so far has
     * @return the id of the next token
     * @throws IllegalArgumentException if a logit is NaN or plus infinity, if all are minus infinity, or if an id is negative
     * @throws IndexOutOfBoundsException if count is negative or greater than the length of the buffer
     */
    public int next(float[] logits, int[] tokens, int count) {
        Objects.checkFromIndexSize(0, count, tokens.length);
        float[] scores = penalize(logits, tokens, count);
        int likeliest = argMax(scores);
        if (config.isGreedy()) {
            return likeliest;
        }
        filter(scores, scores[likeliest]);
        return candidates.at(random.nextDouble());
    }

    /**
     * The distribution that {@link #next} draws from: the tokens after penalty and filters, with their probabilities. Does not draw.
     *
     * @param logits the model's logits for the next token, {@code [vocabulary]}; not changed
     * @param tokens the ids of the text so far, prompt and output
     * @return the tokens, most likely first; one token of probability 1 if the temperature is 0
     * @throws IllegalArgumentException if a logit is NaN or plus infinity, if all are minus infinity, or if an id is negative
     */
    public List<TokenProbability> distribution(float[] logits, int[] tokens) {
        float[] scores = penalize(logits, tokens, tokens.length);
        int likeliest = argMax(scores);
        if (config.isGreedy()) {
            return List.of(new TokenProbability(likeliest, 1));
        }
        filter(scores, scores[likeliest]);
        return List.copyOf(candidates.probabilities());
    }

    /**
     * The natural logarithm of a token's probability, without penalty, temperature or filters:
     * {@code logits[id] - log(sum(exp(logits)))}.
     *
     * @param logits the model's logits, {@code [vocabulary]}
     * @param tokenId the token
     * @return the logarithm, at most 0; minus infinity for an excluded token
     * @throws IllegalArgumentException if there is no such token, if a logit is NaN or plus infinity, or if all are minus infinity
     */
    public static float logProb(float[] logits, int tokenId) {
        throwIf(tokenId < 0 || tokenId >= logits.length,
                () -> new IllegalArgumentException("token id = " + tokenId + " must be between 0 and " + (logits.length - 1) + ", the last of the logits"));
        double max = logits[argMax(logits)];
        return (float) (logits[tokenId] - max - logSum(logits, max));
    }

    /** The logarithm of the sum of {@code exp(logit - max)}. */
    private static double logSum(float[] logits, double max) {
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - max);
        }
        return Math.log(sum);
    }

    /**
     * The most likely tokens, without penalty, temperature or filters.
     *
     * @param logits the model's logits, {@code [vocabulary]}
     * @param count how many, at least 0; all, if there are fewer
     * @return most likely first; ties in order of ids
     * @throws IllegalArgumentException if a logit is NaN or plus infinity, or if all are minus infinity
     */
    public static List<TokenLogProb> mostLikely(float[] logits, int count) {
        return mostLikely(logits, count, logits.length);
    }

    /** The same of the ids below a limit. */
    static List<TokenLogProb> mostLikely(float[] logits, int count, int limit) {
        double max = logits[argMax(logits)];
        double log = logSum(logits, max);
        int ids = Math.min(limit, logits.length);
        int wanted = Math.min(count, ids);
        int[] best = new int[wanted];
        int found = 0;
        for (int id = 0; id < ids; id++) {
            int at = found < wanted ? found++ : wanted;
            while (at > 0 && logits[best[at - 1]] < logits[id]) {
                if (at < wanted) {
                    best[at] = best[at - 1];
                }
                at--;
            }
            if (at < wanted) {
                best[at] = id;
            }
        }
        return Arrays.stream(best).mapToObj(id -> new TokenLogProb(id, (float) (logits[id] - max - log))).toList();
    }

    private void filter(float[] scores, float max) {
        boolean keepsAll = config.topK() == 0 || config.topK() >= scores.length;
        float threshold = keepsAll ? Float.NEGATIVE_INFINITY : candidates.kthLargest(scores, config.topK());
        candidates.gather(scores, max, threshold, config.temperature());
        if (config.topP() < 1) {
            candidates.keepTopP(config.topP());
        }
        if (config.minP() > 0) {
            candidates.keepMinP(config.minP());
        }
    }

    private float[] penalize(float[] logits, int[] tokens, int count) {
        if (config.penalties().equals(Penalties.NONE)) {
            return logits;
        }
        if (penalized.length != logits.length) {
            penalized = new float[logits.length];
        }
        config.penalties().apply(logits, tokens, promptLength, count, penalized);
        return penalized;
    }

    private static int argMax(float[] logits) {
        int likeliest = 0;
        for (int id = 0; id < logits.length; id++) {
            float logit = logits[id];
            if (Float.isNaN(logit) || logit == Float.POSITIVE_INFINITY) {
                throw new IllegalArgumentException("logits[" + id + "] = " + logit + ": the model's output is invalid; are its weights finite and"
                        + " its dtype wide enough?");
            }
            if (logit > logits[likeliest]) {
                likeliest = id;
            }
        }
        throwIf(logits.length == 0 || logits[likeliest] == Float.NEGATIVE_INFINITY,
                () -> new IllegalArgumentException("all " + logits.length + " logits are minus infinity: no token is left to choose"));
        return likeliest;
    }
}
