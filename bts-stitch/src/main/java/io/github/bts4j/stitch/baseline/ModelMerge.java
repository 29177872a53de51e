package io.github.bts4j.stitch.baseline;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Merges models of one shape into one, without training, tensor by tensor in float32. The definitions and defaults are those of mergekit's methods of the same
 * names, and so are the results. The models are only read; results are float32 models on the first one's device, which the caller closes.
 */
public final class ModelMerge {
    /** Above this cosine two tensors count as parallel, and {@link #slerp} mixes them linearly. */
    private static final double PARALLEL = 0.9995;

    private static final double SMALL_NORM = 1e-8;
    private static final double SMALL_SUM = 1e-7;

    private ModelMerge() {}

    /** Merges one tensor of every model; the base is first if there is one. */
    private interface Rule {
        float[] merge(List<float[]> tensors, int number);
    }

    /**
     * A weighted soup: {@code theta = sum_i w_i theta_i / sum_i w_i} (mergekit's {@code linear}).
     *
     * @param models models of one shape
     * @param weights one per model, with a sum other than 0
     * @return the merged model
     * @throws IllegalArgumentException if numbers or shapes do not agree, or the weights sum to 0
     */
    public static LlamaModel linear(List<LlamaModel> models, double... weights) {
        requireWeights(models, weights);
        double total = sum(weights);
        throwIf(Math.abs(total) < SMALL_NORM, () -> new IllegalArgumentException("The weights sum to " + total + ", which cannot be divided by"));
        return merge("linear", models, (tensors, number) -> {
            float[] out = new float[tensors.get(0).length];
            for (int i = 0; i < out.length; i++) {
                double mixed = 0;
                for (int m = 0; m < weights.length; m++) {
                    mixed += weights[m] * tensors.get(m)[i];
                }
                out[i] = (float) (mixed / total);
            }
            return out;
        });
    }

    /**
     * Task arithmetic (Ilharco et al., arXiv 2212.04089): {@code theta = theta_0 + sum_i w_i (theta_i - theta_0)}.
     *
     * @param base the seed, theta_0
     * @param models models that were branched from it
     * @param weights one per model
     * @return the merged model
     * @throws IllegalArgumentException if numbers or shapes do not agree
     */
    public static LlamaModel taskArithmetic(LlamaModel base, List<LlamaModel> models, double... weights) {
        requireWeights(models, weights);
        return merge("task arithmetic", with(base, models), (tensors, number) -> mixed(tensors, deltas(tensors), weights));
    }

    /**
     * TIES (Yadav et al., arXiv 2306.01708): of every model's difference to the base, the largest are kept, the sign with the larger sum is elected for every
     * weight, and those that agree with it are averaged.
     *
     * @param base the seed
     * @param models models that were branched from it
     * @param density share of every tensor's differences that is kept, above 0 and at most 1
     * @param weights one per model
     * @return the merged model
     * @throws IllegalArgumentException if numbers or shapes do not agree, the density is out of range, or so low that nothing of a tensor is kept
     */
    public static LlamaModel ties(LlamaModel base, List<LlamaModel> models, double density, double... weights) {
        requireWeights(models, weights);
        requireDensity(density);
        return merge("ties", with(base, models), (tensors, number) -> {
            List<float[]> deltas = deltas(tensors);
            deltas.forEach(delta -> trim(delta, density));
            return elected(tensors.get(0), deltas, weights, true);
        });
    }

    /**
     * DARE (Yu et al., arXiv 2311.03099), {@code dare_linear}: differences are dropped at random, and the rest is scaled to the sum of absolute values from before.
     *
     * @param base the seed
     * @param models models that were branched from it
     * @param density probability that a difference is kept, above 0 and at most 1
     * @param seed seed of the draws
     * @param weights one per model
     * @return the merged model
     * @throws IllegalArgumentException if numbers or shapes do not agree, or the density is out of range
     */
    public static LlamaModel dareLinear(LlamaModel base, List<LlamaModel> models, double density, long seed, double... weights) {
        requireWeights(models, weights);
        requireDensity(density);
        return merge("dare linear", with(base, models), (tensors, number) -> mixed(tensors, dropped(tensors, density, seed, number), weights));
    }

    /**
     * DARE with TIES's election of signs, {@code dare_ties}; sums are not divided.
     *
     * @param base the seed
     * @param models models that were branched from it
     * @param density probability that a difference is kept, above 0 and at most 1
     * @param seed seed of the draws
     * @param weights one per model
     * @return the merged model
     * @throws IllegalArgumentException if numbers or shapes do not agree, or the density is out of range
     */
    public static LlamaModel dareTies(LlamaModel base, List<LlamaModel> models, double density, long seed, double... weights) {
        requireWeights(models, weights);
        requireDensity(density);
        return merge("dare ties", with(base, models), (tensors, number) -> elected(tensors.get(0), dropped(tensors, density, seed, number), weights, false));
    }

    /**
     * Spherical interpolation of two models, every tensor as one vector:
     * {@code theta = sin((1 - t) a) / sin(a) theta_0 + sin(t a) / sin(a) theta_1} with the angle a between them; linear if they are nearly parallel.
     *
     * @param first the model at t = 0
     * @param second the model at t = 1
     * @param t between 0 and 1
     * @return the merged model
     * @throws IllegalArgumentException if the shapes do not agree or t is out of range
     */
    public static LlamaModel slerp(LlamaModel first, LlamaModel second, double t) {
        throwIf(!(t >= 0 && t <= 1), () -> new IllegalArgumentException("t = " + t + " must be between 0 and 1"));
        return merge("slerp", List.of(first, second), (tensors, number) -> {
            float[] a = tensors.get(0);
            float[] b = tensors.get(1);
            double cosine = dot(a, b) / (norm(a) * norm(b));
            double angle = Math.acos(Math.max(-1, Math.min(1, cosine)));
            boolean linear = Math.abs(cosine) > PARALLEL;
            double left = linear ? 1 - t : Math.sin((1 - t) * angle) / Math.sin(angle);
            double right = linear ? t : Math.sin(t * angle) / Math.sin(angle);
            float[] out = new float[a.length];
            for (int i = 0; i < out.length; i++) {
                out[i] = (float) (left * a[i] + right * b[i]);
            }
            return out;
        });
    }

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }

    /** The norm; 1 for a tensor that is almost zero, which has no direction. */
    private static double norm(float[] a) {
        double norm = Math.sqrt(dot(a, a));
        return norm > SMALL_NORM ? norm : 1;
    }

    private static List<float[]> deltas(List<float[]> tensors) {
        float[] base = tensors.get(0);
        List<float[]> deltas = new ArrayList<>();
        for (float[] tensor : tensors.subList(1, tensors.size())) {
            float[] delta = new float[base.length];
            for (int i = 0; i < delta.length; i++) {
                delta[i] = tensor[i] - base[i];
            }
            deltas.add(delta);
        }
        return deltas;
    }

    /** Keeps the {@code int(density * size)} largest by absolute value; the first of equals. */
    private static void trim(float[] delta, double density) {
        int kept = (int) (density * delta.length);
        throwIf(kept == 0,
                () -> new IllegalArgumentException("density = " + density + " keeps nothing of a tensor of " + delta.length + " weights: raise it"));
        if (kept == delta.length) {
            return;
        }
        float[] sizes = new float[delta.length];
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = Math.abs(delta[i]);
        }
        java.util.Arrays.parallelSort(sizes);
        float least = sizes[sizes.length - kept];
        int larger = 0;
        for (float size : sizes) {
            larger += size > least ? 1 : 0;
        }
        int equalsLeft = kept - larger;
        for (int i = 0; i < delta.length; i++) {
            float size = Math.abs(delta[i]);
            if (size < least || size == least && equalsLeft-- <= 0) {
                delta[i] = 0;
            }
        }
    }

    private static List<float[]> dropped(List<float[]> tensors, double density, long seed, int number) {
        List<float[]> deltas = deltas(tensors);
        if (density >= 1) {
            return deltas;
        }
        for (int m = 0; m < deltas.size(); m++) {
            SplittableRandom random = new SplittableRandom(seed + 1_000_003L * number + m);
            float[] delta = deltas.get(m);
            double before = 0;
            double after = 0;
            for (int i = 0; i < delta.length; i++) {
                before += Math.abs(delta[i]);
                if (random.nextDouble() >= density) {
                    delta[i] = 0;
                }
                after += Math.abs(delta[i]);
            }
            double scale = before < SMALL_SUM || after < SMALL_SUM ? 1 : before / after;
            for (int i = 0; i < delta.length; i++) {
                delta[i] *= (float) scale;
            }
        }
        return deltas;
    }

    private static float[] mixed(List<float[]> tensors, List<float[]> deltas, double[] weights) {
        float[] base = tensors.get(0);
        float[] out = new float[base.length];
        for (int i = 0; i < out.length; i++) {
            double mixed = 0;
            for (int m = 0; m < weights.length; m++) {
                mixed += weights[m] * deltas.get(m)[i];
            }
            out[i] = (float) (base[i] + mixed);
        }
        return out;
    }

    private static float[] elected(float[] base, List<float[]> deltas, double[] weights, boolean normalize) {
        float[] out = new float[base.length];
        for (int i = 0; i < out.length; i++) {
            double all = 0;
            for (int m = 0; m < weights.length; m++) {
                all += weights[m] * deltas.get(m)[i];
            }
            double sign = all >= 0 ? 1 : -1;
            double mixed = 0;
            double total = 0;
            for (int m = 0; m < weights.length; m++) {
                double weighted = weights[m] * deltas.get(m)[i];
                if (Math.signum(weighted) == sign) {
                    mixed += weighted;
                    total += weights[m];
                }
            }
            out[i] = (float) (base[i] + (normalize && total != 0 ? mixed / total : mixed));
        }
        return out;
    }

    private static LlamaModel merge(String name, List<LlamaModel> models, Rule rule) {
        return TensorByTensor.model(name, "merged", models, (scope, tensor, number) -> {
            List<float[]> values = models.stream().map(model -> Tensors.toFloats(model.tensors().get(tensor))).toList();
            return Tensors.of(scope, rule.merge(values, number), models.get(0).tensors().get(tensor).getShape().getShape());
        });
    }

    private static List<LlamaModel> with(LlamaModel base, List<LlamaModel> models) {
        List<LlamaModel> all = new ArrayList<>(List.of(base));
        all.addAll(models);
        return all;
    }

    private static double sum(double[] weights) {
        double sum = 0;
        for (double weight : weights) {
            sum += weight;
        }
        return sum;
    }

    private static void requireWeights(List<LlamaModel> models, double[] weights) {
        throwIf(models.isEmpty() || models.size() != weights.length,
                () -> new IllegalArgumentException(models.size() + " models and " + weights.length + " weights: give one weight per model, and at least one model"));
        for (double weight : weights) {
            throwIf(!Double.isFinite(weight), () -> new IllegalArgumentException("A weight is " + weight + ", not finite"));
        }
    }

    private static void requireDensity(double density) {
        throwIf(!(density > 0 && density <= 1), () -> new IllegalArgumentException("density = " + density + " must be above 0 and at most 1"));
    }
}
