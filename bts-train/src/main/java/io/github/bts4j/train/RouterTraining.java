package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.torch.llama.DocumentRows;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.Members;
import io.github.bts4j.stitch.baseline.RoutedExperts;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Trains the router of {@link RoutedExperts} (arXiv 2502.00075, section 3.2): the target of a sequence is the model with the lowest
 * mean loss on it, and the loss is the cross-entropy of the route that the router chooses from the first t tokens, t uniform in
 * 32 .. 256, or up to the sequence's length where that is less. The models stay frozen.
 *
 * <p>To find a target, all models run over the sequence, without a graph. Targets are cached by the SHA-256 of the tokens, so
 * that a repeated sequence only costs the router's own step.
 *
 * <p>Of conversations and other whole documents, each is a sequence of its own: its target is the model with the lowest loss on what counts of it, and its weight is how
 * much of it counts. A document shorter than the shortest prefix is seen as a whole.
 *
 * <p><b>Losses.</b> {@link #accumulateGradients} returns what is differentiated, as {@link Trainable} requires: the routing
 * cross-entropy of a sequence, in nats, repeated for each of its tokens, so that the mean over tokens is the mean over sequences,
 * and a training loss of ln(n + 1) means that the router chooses at random. {@link #tokenLosses}, which validation reports, returns
 * the next-token losses of the models that the router chooses. The two are not comparable.
 *
 * <p>The paper's schedule is {@link #LEARNING_RATE}. Not thread-safe. It closes nothing.
 */
public final class RouterTraining implements Trainable {
    /** The paper's schedule: a constant 5e-4. */
    public static final LearningRate LEARNING_RATE = new LearningRate.Constant(5e-4);

    /** Maximum number of cached targets; about 120 bytes each. */
    private static final int CACHED = 1 << 20;

    private final RoutedExperts model;
    private final Map<String, String> bases;
    private final Map<String, Integer> targets = new HashMap<>();
    private int least = 32;
    private int most = 256;

    /**
     * Prepares the training of a router.
     *
     * @param model the models and their router
     * @throws IOException if a model's files cannot be read for their fingerprints
     */
    public RouterTraining(RoutedExperts model) throws IOException {
        this.model = model;
        this.bases = new LinkedHashMap<>(Members.identity(model.members(), model.models()));
        for (int i = 0; i < model.models().size(); i++) {
            LlamaModel base = model.models().get(i);
            bases.put(model.members().get(i).name() + " computes in", base.type() + (base.isQuantized() ? " from " + String.join(", ", base.quantizedTypes()) : ""));
        }
        bases.put(StartingWeights.NAME, StartingWeights.sha256(parameters()));
    }

    /**
     * Sets how many tokens the router sees in training; by default 32 to 256, as in the paper.
     *
     * @param least the least t, at least 1
     * @param most the largest t; a shorter sequence limits it
     * @return this training
     * @throws IllegalArgumentException if the numbers are not in that order
     */
    public RouterTraining withPrefixes(int least, int most) {
        if (least < 1 || most < least) {
            throw new IllegalArgumentException("prefixes of " + least + " to " + most + " tokens: 1 <= least <= most is required");
        }
        this.least = least;
        this.most = most;
        return this;
    }

    @Override
    public Map<String, NDArray> parameters() {
        return model.routerTensors();
    }

    @Override
    public NDManager manager() {
        return model.getNDManager();
    }

    /**
     * Forward and backward pass of the router alone, see {@link RouterTraining}.
     *
     * @param tokens token ids {@code [batch][sequence + 1]}
     * @param tokenWeight weight of each token's loss
     * @param seed seed of the prefixes' lengths
     * @return cross-entropy of each sequence's route in nats, repeated for each of its tokens, {@code [batch * sequence]}
     * @throws IllegalArgumentException if rows differ in length, an id is out of range, or the sequences are shorter than the shortest prefix
     * @throws IllegalStateException if the router does not require a gradient
     */
    @Override
    public float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed) {
        int length = TokenBatch.width(tokens) - 1;
        TokenBatch.check(tokens, model.vocabSize());
        if (length < least) {
            throw new IllegalArgumentException("Sequences of " + length + " tokens are shorter than the shortest prefix, " + least
                    + ": train with a longer sequenceLength, or set withPrefixes(least, most)");
        }
        SplittableRandom random = new SplittableRandom(seed);
        int[][] prefixes = Arrays.stream(tokens).map(row -> Arrays.copyOf(row, random.nextInt(least, Math.min(most, length) + 1))).toArray(int[][]::new);
        float[] losses = model.accumulateGradients(prefixes, targets(tokens), tokenWeight * length);
        float[] repeated = new float[tokens.length * length];
        for (int row = 0; row < tokens.length; row++) {
            Arrays.fill(repeated, row * length, (row + 1) * length, losses[row]);
        }
        return repeated;
    }

    /**
     * The same of sequences that hold whole documents, each of which is routed by itself.
     *
     * @param rows the sequences
     * @param tokenWeight weight of each token's loss
     * @param seed seed of the prefixes' lengths
     * @return cross-entropy of each document's route in nats, for each of its tokens that counts, {@code [batch * sequence]}; 0 elsewhere
     */
    @Override
    public float[] accumulateGradients(DocumentRows rows, float tokenWeight, long seed) {
        TokenBatch.check(rows.tokens(), model.vocabSize());
        SplittableRandom random = new SplittableRandom(seed);
        int sequence = TokenBatch.width(rows.tokens()) - 1;
        float[] losses = new float[rows.tokens().length * sequence];
        for (RoutedDocument document : RoutedDocument.of(rows)) {
            int length = document.tokens().length - 1;
            int[] prefix = Arrays.copyOf(document.tokens(), random.nextInt(Math.min(least, length), Math.min(most, length) + 1));
            float loss = model.accumulateGradients(new int[][] {prefix}, new int[] {target(document)}, tokenWeight * document.count())[0];
            for (int t = 0; t < length; t++) {
                losses[document.row() * sequence + document.from() + t] = document.counted()[t] ? loss : 0;
            }
        }
        return losses;
    }

    private int target(RoutedDocument document) {
        String name = hash(document.identity());
        Integer known = targets.get(name);
        int target = known != null ? known : model.bestModels(new int[][] {document.tokens()}, new boolean[][] {document.counted()})[0];
        if (targets.size() < CACHED) {
            targets.put(name, target);
        }
        return target;
    }

    private int[] targets(int[][] tokens) {
        List<String> names = Arrays.stream(tokens).map(RouterTraining::hash).toList();
        int[] unknown = IntStream.range(0, tokens.length).filter(row -> !targets.containsKey(names.get(row))).toArray();
        Map<String, Integer> found = new HashMap<>();
        if (unknown.length > 0) {
            int[] best = model.bestModels(IntStream.of(unknown).mapToObj(row -> tokens[row]).toArray(int[][]::new));
            for (int k = 0; k < unknown.length; k++) {
                found.put(names.get(unknown[k]), best[k]);
            }
        }
        int[] all = names.stream().mapToInt(name -> found.containsKey(name) ? found.get(name) : targets.get(name)).toArray();
        if (targets.size() + found.size() <= CACHED) {
            targets.putAll(found);
        }
        return all;
    }

    private static String hash(int[] row) {
        ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * row.length);
        bytes.asIntBuffer().put(row);
        return ModelFingerprint.sha256(bytes);
    }

    /** {@return the number of sequences whose targets are cached} */
    int cachedTargets() {
        return targets.size();
    }

    /**
     * Next-token losses of the routed models, for validation, after {@link RoutedExperts#decisionTokens} tokens that the seed scores.
     *
     * @param tokens token ids {@code [batch][sequence + 1]}
     * @return losses in nats {@code [batch][sequence]}
     */
    @Override
    public float[][] tokenLosses(int[][] tokens) {
        return model.tokenLosses(tokens);
    }

    @Override
    public Lifetime.Lease use() {
        return model.lifetime().use();
    }

    @Override
    public void write(Runnable writing) {
        model.writeRouterTensors(writing);
    }

    @Override
    public void weightsChanged() {
        // nothing to do: every pass reads the router directly
    }

    @Override
    public Map<String, String> identity() {
        Map<String, String> identity = new LinkedHashMap<>();
        identity.put("router.prefixes", least + " .. " + most);
        identity.put("router.decisionTokens", String.valueOf(model.decisionTokens()));
        identity.putAll(bases);
        return identity;
    }
}
