package io.github.bts4j.core.llama.rope;

import io.github.bts4j.core.support.Problems;
import java.util.List;

/**
 * LongRoPE (arXiv 2402.13753), of Phi-3: every frequency divided by a factor of its own, by others in sequences longer than the trained length, and a factor on the cosines and sines.
 *
 * @param shortFactor divisors up to the trained length, one for each frequency
 * @param longFactor divisors beyond it
 * @param originalMaxPositionEmbeddings the trained length in tokens
 * @param attentionFactor the factor on cosines and sines
 */
public record LongRope(List<Double> shortFactor, List<Double> longFactor, int originalMaxPositionEmbeddings, double attentionFactor) implements RopeScaling {
    /**
     * Checks the numbers.
     *
     * @param shortFactor divisors up to the trained length
     * @param longFactor divisors beyond it
     * @param originalMaxPositionEmbeddings the trained length in tokens
     * @param attentionFactor the factor on cosines and sines
     * @throws IllegalArgumentException if one is outside its range; the message lists all of them
     */
    public LongRope {
        shortFactor = List.copyOf(shortFactor);
        longFactor = List.copyOf(longFactor);
        Problems problems = new Problems();
        shortFactor.forEach(factor -> problems.positiveFloat("shortFactor", factor));
        longFactor.forEach(factor -> problems.positiveFloat("longFactor", factor));
        problems.addIf(shortFactor.size() != longFactor.size(), "shortFactor has " + shortFactor.size() + " numbers, longFactor " + longFactor.size());
        problems.positive("originalMaxPositionEmbeddings", originalMaxPositionEmbeddings);
        problems.positiveFloat("attentionFactor", attentionFactor);
        problems.throwAsArgument("longrope RoPE scaling");
    }

    /**
     * The factor on cosines and sines that LongRoPE's authors use.
     *
     * @param stretch how much longer the context is than the trained length
     * @param original the trained length in tokens
     * @return {@code sqrt(1 + ln(stretch) / ln(original))}, at least 1
     */
    public static double attentionFactor(double stretch, int original) {
        return stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(original));
    }

    @Override
    public double[] inverseFrequencies(int headDim, double theta, int maxPositionEmbeddings, int sequenceLength) {
        RopeMath.check(headDim, theta, maxPositionEmbeddings, sequenceLength);
        List<Double> factors = sequenceLength > originalMaxPositionEmbeddings ? longFactor : shortFactor;
        if (factors.size() != headDim / 2) {
            throw new IllegalArgumentException("longrope RoPE scaling: " + factors.size() + " factors, " + headDim + " rotated values of a head have " + headDim / 2 + " frequencies");
        }
        float[] wavelengths = RopeMath.wavelengths(headDim, theta);
        for (int i = 0; i < wavelengths.length; i++) {
            wavelengths[i] = 1f / (factors.get(i).floatValue() * wavelengths[i]);
        }
        return RopeMath.widened(wavelengths);
    }

    @Override
    public double attentionScaling() {
        return attentionFactor;
    }

    @Override
    public String ropeType() {
        return "longrope";
    }

    @Override
    public boolean dependsOnSequenceLength() {
        return true;
    }

    @Override
    public int sharedLength(int maxPositionEmbeddings) {
        return originalMaxPositionEmbeddings;
    }
}
