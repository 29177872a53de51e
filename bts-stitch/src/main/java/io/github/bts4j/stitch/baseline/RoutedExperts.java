package io.github.bts4j.stitch.baseline;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.CachedSession;
import io.github.bts4j.core.DecodeEngine;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.support.Problems;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.Member;
import io.github.bts4j.stitch.Members;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Expert routing (arXiv 2502.00075, section 3.2): a linear router reads the beginning of a sequence and chooses one of the
 * n + 1 models, which then processes it alone.
 *
 * <pre>{@code p = softmax(W mean(e_1, .., e_t)),   W in R^{(n + 1) x d}}</pre>
 *
 * with e the first t tokens' rows of the seed's input embedding table. The paper says "mean embedding" but not of which model or
 * layer; this choice needs no forward pass, so the route is known before any model runs. There is no bias, as in the
 * paper's own stitches: the paper counts 15k trained parameters at d = 3072 and n = 3, where W alone has 12,288 (a bias would add
 * 4; 15,360 is what five outputs would have).
 *
 * <p><b>In a session</b> the first {@link DecodeSession#append} is the prompt: the route is chosen from all of it, and the chosen
 * model processes it with its own KV cache. No other model runs.
 *
 * <p><b>On given text</b> ({@link #forward}, {@link #tokenLosses}) there is no prompt. The route is chosen from the first
 * {@link #decisionTokens} t tokens, by default {@value #DECISION_TOKENS}, the minimum in the router's training. The seed predicts
 * tokens 1 to t - 1, before the decision; the chosen model, which reads the
 * sequence from its beginning, predicts tokens t and later. The seed alone predicts a text of t tokens or fewer. So no prediction depends on later tokens, and a session
 * with a prompt of t tokens computes the same as the forward pass.
 *
 * <p>Only the router is trained, with {@code RouterTraining} of bts-train. Thread-safe for reading.
 */
public final class RoutedExperts extends FrozenLm {
    /** Default number of tokens that the route is chosen from on given text: the smallest of the paper's 32 to 256. */
    public static final int DECISION_TOKENS = 32;

    private static final String UNFIT = "These models cannot be routed between";

    private final List<Member> members;
    private final List<LlamaModel> models;
    private final List<LlamaModel> owned;
    private final Router router;
    private final int decisionTokens;
    private final List<DecodeEngine<RoutedEngine.State>> engines = List.of(new RoutedEngine(this));

    private RoutedExperts(NDManager manager, List<Member> members, List<LlamaModel> models, List<LlamaModel> owned, Router router, int decisionTokens, Lifetime... parents) {
        super("routed", manager, parents);
        this.members = List.copyOf(members);
        this.models = List.copyOf(models);
        this.owned = List.copyOf(owned);
        this.router = router;
        this.decisionTokens = decisionTokens;
    }

    /**
     * Loads the models and starts with a router of zeros, which sends everything to the seed.
     *
     * @param members the seed, then the experts: models with the same vocabulary; other dimensions may differ
     * @param options device and precision of all of them
     * @return routed experts, which the caller closes, and the models with them
     * @throws IOException if a file cannot be read
     * @throws IllegalArgumentException listing all reasons why the models do not fit together
     */
    public static RoutedExperts open(List<Member> members, LoadOptions options) throws IOException {
        return open(members, options, DECISION_TOKENS, Map.of());
    }

    /** With the tensors of a router; without any, it starts with zeros. */
    static RoutedExperts open(List<Member> members, LoadOptions options, int decisionTokens, Map<String, NDArray> tensors) throws IOException {
        checked(members).throwAsArgument(UNFIT);
        LoadOptions whole = Members.options(members, options);
        List<LlamaModel> models = new ArrayList<>();
        try {
            for (Member member : members) {
                models.add(models.isEmpty() ? LlamaModel.open(member.folder(), whole) : Members.open(members.get(0), models.get(0), member, whole));
            }
            RoutedExperts routed = over(members, models, models, decisionTokens);
            if (!tensors.isEmpty()) {
                routed.setRouterTensors(tensors);
            }
            return routed;
        } catch (IOException | RuntimeException e) {
            models.forEach(LlamaModel::close);
            throw e;
        }
    }

    /**
     * Routes between loaded models, such as those of a stitched model.
     *
     * @param members names and folders, the seed first
     * @param models the same, loaded, on one device; the caller owns them and keeps them open
     * @return routed experts with a router of zeros, which the caller closes
     * @throws IOException if a file cannot be read
     * @throws IllegalArgumentException listing all reasons why the models do not fit together
     */
    public static RoutedExperts of(List<Member> members, List<LlamaModel> models) throws IOException {
        Problems problems = checked(members);
        problems.addIf(members.size() != models.size(), members.size() + " names for " + models.size() + " models: give one to each");
        for (LlamaModel model : models) {
            problems.addIf(!model.device().equals(models.get(0).device()),
                    "model '" + model.getName() + "' is on " + model.device() + ", the seed on " + models.get(0).device() + ": load all on one device");
        }
        problems.throwAsArgument(UNFIT);
        return over(members, models, List.of(), DECISION_TOKENS);
    }

    private static Problems checked(List<Member> members) throws IOException {
        Problems problems = new Problems();
        problems.addAll(Members.problems(members));
        return problems;
    }

    private static RoutedExperts over(List<Member> members, List<LlamaModel> models, List<LlamaModel> owned, int decisionTokens) {
        NDManager manager = Torch.manager().newSubManager(models.get(0).device());
        return new RoutedExperts(manager, members, models, owned, new Router(manager, models.get(0), models.size()), decisionTokens,
                models.stream().map(LlamaModel::lifetime).toArray(Lifetime[]::new));
    }

    /**
     * A view with another number of tokens for the decision on given text.
     *
     * @param tokens t, at least 1
     * @return a view, which the caller closes; it shares the router, and cannot be used after this model is closed
     * @throws IllegalArgumentException if the number is below 1
     */
    public RoutedExperts withDecisionTokens(int tokens) {
        throwIf(tokens < 1, () -> new IllegalArgumentException("decisionTokens = " + tokens + ": it must be at least 1"));
        return new RoutedExperts(Torch.manager().newSubManager(device()), members, models, List.of(), router, tokens, lifetime());
    }

    /** {@return t, the number of tokens of given text that the route is chosen from} */
    public int decisionTokens() {
        return decisionTokens;
    }

    /** {@return the base models' names and folders, the seed first} */
    public List<Member> members() {
        return members;
    }

    /** {@return the frozen models, the seed first, then the experts} */
    public List<LlamaModel> models() {
        return models;
    }

    /**
     * {@return the router's weight by its name in a checkpoint, the only tensor that trains: {@code router.weight}, float32 {@code [n
     * + 1, hidden]}}
     */
    public Map<String, NDArray> routerTensors() {
        return router.tensors();
    }

    /**
     * Replaces the router's weight; the values are copied.
     *
     * @param values a result of {@link #routerTensors}
     * @throws IllegalArgumentException if a tensor is missing, extra or mis-shaped
     */
    public void setRouterTensors(Map<String, NDArray> values) {
        lifetime().hold(() -> router.set(values));
    }

    /**
     * Writes to the router atomically: no route is chosen by a partly written router.
     *
     * @param writing writes to {@link #routerTensors}
     * @throws IllegalStateException if the model is closed
     */
    public void writeRouterTensors(Runnable writing) {
        lifetime().hold(() -> router.write(writing));
    }

    /**
     * The router's probabilities for a prompt.
     *
     * @param tokens token ids, at least one; all of them are used
     * @return the probability of each model, {@code [n + 1]}, the seed's first
     * @throws IllegalArgumentException if there is no token or an id is out of range
     */
    public float[] route(int... tokens) {
        return lifetime().hold(() -> router.probabilities(new int[][] {tokens})[0]);
    }

    /**
     * The model that a prompt is routed to: the most probable one, or the first of equals.
     *
     * @param tokens token ids, at least one; all of them are used
     * @return its index in {@link #models}
     * @throws IllegalArgumentException if there is no token or an id is out of range
     */
    public int choose(int... tokens) {
        return Router.largest(route(tokens));
    }

    /**
     * The model with the lowest mean loss on each of several sequences: the target of the router's training, and an oracle to compare
     * it with. Runs all models.
     *
     * @param tokens token ids {@code [batch][sequence]}, rows of one length, at least 2
     * @return its index in {@link #models} for each row; the first of equals
     * @throws IllegalArgumentException if rows differ in length or an id is out of range
     */
    public int[] bestModels(int[][] tokens) {
        boolean[][] all = new boolean[tokens.length][];
        for (int row = 0; row < all.length; row++) {
            all[row] = new boolean[tokens[row].length - 1];
            Arrays.fill(all[row], true);
        }
        return bestModels(tokens, all);
    }

    /**
     * The same by some of the predictions, such as those of what an assistant says.
     *
     * @param tokens token ids {@code [batch][sequence + 1]}
     * @param counted whether the prediction of token t + 1 counts, {@code [batch][sequence]}
     * @return index of the best model for each sequence, hub first; of equal ones the first
     */
    public int[] bestModels(int[][] tokens, boolean[][] counted) {
        int[] best = new int[tokens.length];
        double[] least = new double[tokens.length];
        Arrays.fill(least, Double.POSITIVE_INFINITY);
        for (int i = 0; i < models.size(); i++) {
            float[][] losses = models.get(i).tokenLosses(tokens);
            for (int row = 0; row < best.length; row++) {
                double sum = 0;
                for (int t = 0; t < losses[row].length; t++) {
                    sum += counted[row][t] ? losses[row][t] : 0;
                }
                if (sum < least[row]) {
                    least[row] = sum;
                    best[row] = i;
                }
            }
        }
        return best;
    }

    /**
     * Forward and backward pass of only the router: adds the gradient of {@code weight * sum of the cross-entropies} to its
     * gradient. No model runs.
     *
     * @param prefixes the first tokens of each sequence, of any lengths above 0
     * @param targets the index of the model that each sequence should be routed to
     * @param weight weight of each sequence's loss
     * @return cross-entropy of every sequence's route, in nats
     * @throws IllegalArgumentException if the numbers differ, a prefix is empty, or an id or target is out of range
     * @throws IllegalStateException if the router does not require a gradient
     */
    public float[] accumulateGradients(int[][] prefixes, int[] targets, float weight) {
        throwIf(prefixes.length == 0 || prefixes.length != targets.length || Arrays.stream(targets).anyMatch(target -> target < 0 || target >= models.size()),
                () -> new IllegalArgumentException(prefixes.length + " prefixes and the targets " + Arrays.toString(targets)
                        + ": give each of at least one prefix a target in 0 .. " + (models.size() - 1)));
        return lifetime().hold(() -> router.accumulateGradients(prefixes, targets, weight));
    }

    @Override
    public int vocabSize() {
        return models.get(0).vocabSize();
    }

    @Override
    public Set<Integer> endTokens() {
        return models.get(0).endTokens();
    }

    @Override
    public int contextLength() {
        return models.stream().mapToInt(LlamaModel::contextLength).min().orElseThrow();
    }

    @Override
    public NDArray forward(NDArray tokenIds) {
        return lifetime().hold(() -> text().logits(tokenIds));
    }

    @Override
    protected NDArray tokenLosses(NDManager step, int[][] tokens) {
        return step.create(text().losses(tokens));
    }

    private RoutedText text() {
        return new RoutedText(models, router, decisionTokens, manager);
    }

    @Override
    protected CachedSession<?> openSession(int capacity) {
        return new CachedSession<>(this, lifetime(), engines, capacity, RoutedEngine.State::new);
    }

    @Override
    protected void release() {
        owned.forEach(LlamaModel::close);
    }
}
