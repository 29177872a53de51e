package io.github.bts4j.stitch.baseline;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The forward pass of routed experts on given text, see {@link RoutedExperts}.
 *
 * @param models the seed first
 * @param router the router
 * @param decisionTokens number of tokens for the decision
 * @param manager parent of scopes on the models' device
 */
record RoutedText(List<LlamaModel> models, Router router, int decisionTokens, NDManager manager) {
    /** float32 {@code [batch, sequence, vocabulary]}, owned by the manager of the ids. */
    NDArray logits(NDArray tokenIds) {
        Shape shape = TokenBatch.checked(tokenIds, models.get(0).vocabSize()).getShape();
        int[][] tokens = rows(tokenIds.toLongArray(), (int) shape.get(1));
        int[] routes = tokens[0].length < decisionTokens ? new int[tokens.length] : routes(tokens);
        NDArray logits = Tensors.zeros(tokenIds.getManager(), ElementType.FLOAT32, models.get(0).device(), shape.get(0), shape.get(1), models.get(0).vocabSize());
        for (int i = 0; i < models.size(); i++) {
            put(logits, models.get(i), tokens, rowsOf(routes, i), tokens[0].length);
        }
        put(logits, models.get(0), tokens, rowsElsewhere(routes), decisionTokens - 1);
        return logits;
    }

    /** Writes a model's logits of the first positions of some rows. */
    private void put(NDArray logits, LlamaModel model, int[][] tokens, int[] rows, int positions) {
        if (rows.length == 0 || positions == 0) {
            return;
        }
        try (NDManager scope = manager.newSubManager()) {
            NDArray ids = TokenBatch.tensor(scope, select(tokens, rows, tokens[0].length), 0, positions, models.get(0).vocabSize());
            Router.KERNELS.putRows(Autograd.OFF, logits, model.forward(ids), scope.create(Arrays.stream(rows).asLongStream().toArray()));
        }
    }

    /** In nats, {@code [batch * (sequence - 1)]}. */
    float[] losses(int[][] tokens) {
        TokenBatch.check(tokens, models.get(0).vocabSize());
        int width = tokens[0].length;
        int[] routes = width <= decisionTokens ? new int[tokens.length] : routes(tokens);
        float[] losses = new float[tokens.length * (width - 1)];
        for (int i = 0; i < models.size(); i++) {
            put(losses, models.get(i), tokens, rowsOf(routes, i), width);
        }
        if (decisionTokens > 1) {
            put(losses, models.get(0), tokens, rowsElsewhere(routes), decisionTokens);
        }
        return losses;
    }

    /** Writes a model's losses of all tokens but the first, for some rows. */
    private static void put(float[] losses, LlamaModel model, int[][] tokens, int[] rows, int width) {
        if (rows.length == 0) {
            return;
        }
        float[][] found = model.tokenLosses(select(tokens, rows, width));
        for (int k = 0; k < rows.length; k++) {
            System.arraycopy(found[k], 0, losses, rows[k] * (tokens[0].length - 1), width - 1);
        }
    }

    /** The chosen models, from the first tokens of rows that are long enough. */
    private int[] routes(int[][] tokens) {
        float[][] probabilities = router.probabilities(select(tokens, IntStream.range(0, tokens.length).toArray(), decisionTokens));
        return Arrays.stream(probabilities).mapToInt(Router::largest).toArray();
    }

    private static int[] rowsOf(int[] routes, int model) {
        return IntStream.range(0, routes.length).filter(row -> routes[row] == model).toArray();
    }

    private static int[] rowsElsewhere(int[] routes) {
        return IntStream.range(0, routes.length).filter(row -> routes[row] != 0).toArray();
    }

    private static int[][] select(int[][] tokens, int[] rows, int width) {
        return Arrays.stream(rows).mapToObj(row -> Arrays.copyOf(tokens[row], width)).toArray(int[][]::new);
    }

    private static int[][] rows(long[] flat, int width) {
        int[][] rows = new int[flat.length / width][width];
        for (int i = 0; i < flat.length; i++) {
            rows[i / width][i % width] = (int) flat[i];
        }
        return rows;
    }
}
