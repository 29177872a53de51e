package io.github.bts4j.core;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;

/** Checks token ids and turns them into tensors, so that no invalid id reaches the engine. */
public final class TokenBatch {
    private TokenBatch() {}

    /**
     * A tensor of token ids.
     *
     * @param manager owner of the result, which is on its device
     * @param tokens rows of one length
     * @param from first column
     * @param to one past the last column
     * @param vocabSize the vocabulary's size
     * @return int64 {@code [batch, to - from]}
     * @throws IllegalArgumentException if there is no row, rows differ in length or an id is outside the vocabulary
     */
    public static NDArray tensor(NDManager manager, int[][] tokens, int from, int to, int vocabSize) {
        if (tokens.length == 0 || to <= from) {
            throw new IllegalArgumentException("A batch of " + tokens.length + " rows with columns " + from + " to " + to + " holds no tokens");
        }
        int width = to - from;
        long[] flat = new long[Math.multiplyExact(tokens.length, width)];
        for (int row = 0; row < tokens.length; row++) {
            checkLength(tokens, row);
            for (int t = from; t < to; t++) {
                flat[row * width + t - from] = checked(tokens[row][t], row, t, vocabSize);
            }
        }
        return manager.create(flat, new Shape(tokens.length, width));
    }

    /**
     * Inputs and labels.
     *
     * @param ids int64 {@code [batch, sequence]}: all tokens but the last
     * @param labels int64 {@code [batch, sequence]}: all tokens but the first
     */
    public record NextTokens(NDArray ids, NDArray labels) {}

    /**
     * Splits tokens into inputs and labels.
     *
     * @param manager owner of the results, which are on its device
     * @param tokens rows of one length, {@code [batch][sequence + 1]}
     * @param vocabSize the vocabulary's size
     * @return inputs and labels
     * @throws IllegalArgumentException if there is no row, rows differ in length or an id is outside the vocabulary
     */
    public static NextTokens nextTokens(NDManager manager, int[][] tokens, int vocabSize) {
        int width = width(tokens);
        return new NextTokens(tensor(manager, tokens, 0, width - 1, vocabSize), tensor(manager, tokens, 1, width, vocabSize));
    }

    /**
     * The length of a batch's rows.
     *
     * @param tokens rows of one length
     * @return tokens in row 0
     * @throws IllegalArgumentException if there is no row
     */
    public static int width(int[][] tokens) {
        if (tokens.length == 0) {
            throw new IllegalArgumentException("A batch of 0 rows holds no tokens");
        }
        return tokens[0].length;
    }

    /**
     * Values of tokens, row by row.
     *
     * @param flat {@code [batch * sequence]}
     * @param batch number of rows
     * @return {@code [batch][sequence]}
     */
    public static float[][] rows(float[] flat, int batch) {
        int width = flat.length / batch;
        float[][] rows = new float[batch][];
        Arrays.setAll(rows, row -> Arrays.copyOfRange(flat, row * width, (row + 1) * width));
        return rows;
    }

    /**
     * Checks rows of token ids.
     *
     * @param tokens rows of one length
     * @param vocabSize the vocabulary's size
     * @throws IllegalArgumentException if there is no row, rows differ in length or an id is outside the vocabulary
     */
    public static void check(int[][] tokens, int vocabSize) {
        int width = width(tokens);
        for (int row = 0; row < tokens.length; row++) {
            checkLength(tokens, row);
            for (int t = 0; t < width; t++) {
                checked(tokens[row][t], row, t, vocabSize);
            }
        }
    }

    private static void checkLength(int[][] tokens, int row) {
        if (tokens[row].length != tokens[0].length) {
            throw new IllegalArgumentException("Row " + row + " holds " + tokens[row].length + " tokens, row 0 holds "
                    + tokens[0].length + ": the rows of a batch must have the same length");
        }
    }

    /**
     * Checks a tensor of token ids.
     *
     * @param ids the tensor
     * @param vocabSize the vocabulary's size
     * @return the tensor itself
     * @throws IllegalArgumentException if it is not an int64 {@code [batch, sequence]} tensor or an id is outside the vocabulary
     */
    public static NDArray checked(NDArray ids, int vocabSize) {
        Shape shape = ids.getShape();
        if (shape.dimension() != 2 || shape.size() == 0 || ids.getDataType() != DataType.INT64) {
            throw new IllegalArgumentException("tokenIds has shape " + shape + " and type " + ids.getDataType()
                    + ": it must be int64 [batch, sequence] with at least one token");
        }
        long[] values = ids.toLongArray();
        int width = (int) shape.get(1);
        for (int i = 0; i < values.length; i++) {
            checked(values[i], i / width, i % width, vocabSize);
        }
        return ids;
    }

    private static long checked(long id, int row, int column, int vocabSize) {
        if (id < 0 || id >= vocabSize) {
            throw new IllegalArgumentException("Token id " + id + " at row " + row + ", position " + column + " is outside [0, " + vocabSize
                    + "): was the text encoded with this model's tokenizer?");
        }
        return id;
    }
}
