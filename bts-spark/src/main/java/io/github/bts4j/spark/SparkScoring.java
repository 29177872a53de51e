package io.github.bts4j.spark;

import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.core.torch.KernelChoices;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.TokenEncoder;
import io.github.bts4j.train.eval.BitsPerByte;
import io.github.bts4j.train.eval.DocumentWindows;
import io.github.bts4j.train.eval.TokenBytes;
import io.github.bts4j.train.eval.WindowScores;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.function.UnaryOperator;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Scores and continues the texts of a data frame: rows in, the same rows with more columns out, lazily. Each executor opens the model once and keeps it. Every row is computed by
 * itself, so that its result does not depend on partitions or neighbours. Rows whose text is null or empty get 0 bits and bytes, and otherwise null.
 *
 * <p>Models are checkpoint folders, GGUF files or stitch checkpoints' folders, by path or address, see {@link SharedFiles}. Thread-safe.
 */
public final class SparkScoring {
    private static final int WINDOW = 1024;

    private SparkScoring() {}

    /** What one text gives, for the new columns. */
    private interface Scores extends Serializable {
        Object[] of(TextModel model, String text);
    }

    /**
     * Adds {@code bits} (double, those of all predicted tokens) and {@code bytes} (long, of the text in UTF-8), whose ratio is bits per byte; of several rows it is
     * {@code sum(bits) / sum(bytes)}. A text beyond the model's context, or beyond 1,024 tokens, is read in windows that overlap by half.
     *
     * @param rows the rows
     * @param column the column with the text
     * @param model path or address of the model
     * @return the rows with two more columns
     * @throws IllegalArgumentException if there is no such column of strings, or there are columns of those names
     */
    public static Dataset<Row> bitsPerByte(Dataset<Row> rows, String column, String model) {
        Columns.requireNone(rows, "bits", "bytes");
        return with(rows, column, model, schema -> schema.add("bits", DataTypes.DoubleType).add("bytes", DataTypes.LongType), SparkScoring::bits);
    }

    /**
     * Adds {@code log_probs} (array of float): the natural logarithms of the probabilities of the text's tokens, except the first. A text beyond the model's context fails the job.
     *
     * @param rows the rows
     * @param column the column with the text
     * @param model path or address of the model
     * @return the rows with one more column
     * @throws IllegalArgumentException if there is no such column of strings, or there is a column of that name
     */
    public static Dataset<Row> logProbs(Dataset<Row> rows, String column, String model) {
        Columns.requireNone(rows, "log_probs");
        return with(rows, column, model, schema -> schema.add("log_probs", DataTypes.createArrayType(DataTypes.FloatType, false)), SparkScoring::logProbs);
    }

    /**
     * Adds {@code generated} (string): the continuation of the text.
     *
     * @param rows the rows
     * @param column the column with the text
     * @param model path or address of the model
     * @param maxTokens maximum number of new tokens
     * @param temperature 0 always takes the most likely token
     * @param seed seed of the draws; each text draws from a seed of its own, which depends on this and on the text
     * @return the rows with one more column
     * @throws IllegalArgumentException if there is no such column of strings, or there is a column of that name
     */
    public static Dataset<Row> generate(Dataset<Row> rows, String column, String model, int maxTokens, double temperature, long seed) {
        Columns.requireNone(rows, "generated");
        return with(rows, column, model, schema -> schema.add("generated", DataTypes.StringType), (text, prompt) -> new Object[] {prompt.isEmpty() ? null
                : text.generate(prompt, GenerationConfig.greedy(maxTokens).withTemperature(temperature).withSeed(seed * 31 + prompt.hashCode())).text()});
    }

    private static Dataset<Row> with(Dataset<Row> rows, String column, String model, UnaryOperator<StructType> more, Scores scores) {
        int index = Columns.text(rows, column);
        return rows.mapPartitions(new Partition(index, ExecutorModels.Address.of(model, ExecutorPlace.of(rows.sparkSession().sparkContext().getConf())), scores), Encoders.row(more.apply(rows.schema())));
    }

    private static Object[] bits(TextModel model, String text) {
        long bytes = text.getBytes(StandardCharsets.UTF_8).length;
        int[] ids = bytes == 0 ? new int[0] : TokenEncoder.of(model.tokenizer()).encode(text);
        if (ids.length < 2) {
            return new Object[] {0.0, bytes};
        }
        int window = Math.min(WINDOW, model.contextLength());
        TokenDataset document = TokenDataset.builder("text").add(ids, bytes).build();
        WindowScores scores = new BitsPerByte(TokenBytes.of(model.tokenizer()), 1).byDocument(model.model(), DocumentWindows.of(document, window, Math.max(1, window / 2)));
        return new Object[] {scores.nats()[0] / Math.log(2), bytes};
    }

    private static Object[] logProbs(TextModel model, String text) {
        int[] ids = text.isEmpty() ? new int[0] : TokenEncoder.of(model.tokenizer()).encode(text);
        if (ids.length < 2) {
            return new Object[] {null};
        }
        float[] found = model.generator().logProbs(new int[][] {ids})[0];
        Float[] boxed = new Float[found.length];
        for (int i = 0; i < boxed.length; i++) {
            boxed[i] = found[i];
        }
        return new Object[] {boxed};
    }

    /** The rows of a partition, one after the other. */
    private record Partition(int index, ExecutorModels.Address model, Scores scores) implements MapPartitionsFunction<Row, Row> {
        @Override
        @SuppressWarnings("try") // the binding is only held
        public Iterator<Row> call(Iterator<Row> rows) {
            TextModel text = ExecutorFailure.describing(() -> ExecutorModels.open(model));
            return new Iterator<>() {
                @Override
                public boolean hasNext() {
                    return rows.hasNext();
                }

                @Override
                public Row next() {
                    Row row = rows.next();
                    return ExecutorFailure.describing(() -> {
                        try (KernelChoices.Binding same = model.place().bind()) { // the usual ones: a driver that only plans has no libtorch
                            return RowFactory.create(longer(row, scores.of(text, row.isNullAt(index) ? "" : row.getString(index))));
                        }
                    });
                }
            };
        }

        private static Object[] longer(Row row, Object[] more) {
            Object[] values = new Object[row.size() + more.length];
            for (int i = 0; i < row.size(); i++) {
                values[i] = row.get(i);
            }
            System.arraycopy(more, 0, values, row.size(), more.length);
            return values;
        }
    }
}
