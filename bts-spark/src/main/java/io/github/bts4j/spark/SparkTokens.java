package io.github.bts4j.spark;

import io.github.bts4j.core.OutputException;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.FileTree;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.TokenEncoder;
import io.github.bts4j.train.data.TokenFolder;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Tokenises a column of texts: every partition's documents become files of token ids, and then one dataset in the format of {@link TokenFolder}, as the same rows in one process
 * would give. Rows keep their order. Rows whose text is null or empty are left out.
 *
 * <p>Immutable.
 */
public final class SparkTokens {
    private final Dataset<Row> texts;
    private final String column;
    private final Encoding encoding;

    /** How executors encode; serializable. */
    private record Encoding(String tokenizer, boolean ended) implements Serializable {
        TokenEncoder of(LlamaTokenizer open) {
            TokenEncoder plain = TokenEncoder.of(open);
            return ended ? plain.endingWith(open.eosTokenId().orElseThrow(() -> new IllegalArgumentException("The tokenizer in " + tokenizer + " has no end token"))) : plain;
        }
    }

    private SparkTokens(Dataset<Row> texts, String column, Encoding encoding) {
        this.texts = texts;
        this.column = column;
        this.encoding = encoding;
    }

    /**
     * Prepares to tokenise texts.
     *
     * @param texts rows, such as those of {@code spark.read().parquet(..)} or {@code .json(..)}
     * @param column the column with the text, of strings
     * @param tokenizer path or address of a folder with tokenizer.json, see {@link SharedFiles}
     * @return the tokens, not computed yet
     * @throws IllegalArgumentException if there is no such column, or it has no strings
     */
    public static SparkTokens of(Dataset<Row> texts, String column, String tokenizer) {
        Columns.text(texts, column);
        return new SparkTokens(texts, column, new Encoding(tokenizer, false));
    }

    /**
     * The same with the tokenizer's end token after each document.
     *
     * @return the changed copy
     */
    public SparkTokens endingDocuments() {
        return new SparkTokens(texts, column, new Encoding(encoding.tokenizer, true));
    }

    /**
     * Tokenises, and opens the result.
     *
     * @param folder the dataset's folder, which must not exist; on a file system that all executors and the driver mount
     * @return the dataset, named like its folder
     * @throws IOException if a file cannot be read or written
     * @throws OutputException if the folder exists
     * @throws IllegalArgumentException if there is no text
     * @throws io.github.bts4j.core.TrainingException in one line, if a task failed
     */
    public TokenDataset into(Path folder) throws IOException {
        Path target = folder.toAbsolutePath();
        if (Files.exists(target)) {
            throw new OutputException(target, target + " exists: give another folder for the tokens, or delete it");
        }
        Files.createDirectories(target.getParent());
        Path parts = Files.createTempDirectory(target.getParent(), "." + target.getFileName() + "-parts-");
        Path whole = Files.createTempDirectory(target.getParent(), "." + target.getFileName() + "-");
        try {
            int count = encode(parts.toString());
            merge(parts, count, whole, target.getFileName().toString());
            Files.move(whole, target, StandardCopyOption.ATOMIC_MOVE);
            AtomicFiles.forceFolder(target.getParent());
        } finally {
            FileTree.delete(parts);
            FileTree.delete(whole);
        }
        return TokenFolder.open(target.getFileName().toString(), target);
    }

    /** The partitions' datasets; the number of partitions. */
    private int encode(String parts) {
        JavaRDD<String> rows = texts.select(texts.col(column)).javaRDD().map(row -> row.isNullAt(0) ? "" : row.getString(0));
        Function2<Integer, Iterator<String>, Iterator<Integer>> task = new Part(parts, encoding);
        return SparkTraining.described(() -> rows.mapPartitionsWithIndex(task, false).collect()).size();
    }

    /** One after the other, in the order of the partitions. */
    private static void merge(Path parts, int count, Path into, String name) throws IOException {
        try (TokenFolder.Writer writer = TokenFolder.writer(into, name)) {
            for (int i = 0; i < count; i++) {
                Path part = parts.resolve(Part.name(i));
                if (Files.exists(part)) { // a partition without text has none
                    TokenDataset dataset = TokenFolder.open(name, part);
                    for (int document = 0; document < dataset.documentCount(); document++) {
                        writer.add(dataset.document(document), dataset.documentBytes(document));
                    }
                }
            }
            writer.end();
        }
    }

    /** Writes one partition into a folder of its own attempt, which is renamed at the end: another attempt may be running. */
    private record Part(String parts, Encoding encoding) implements Function2<Integer, Iterator<String>, Iterator<Integer>> {
        static String name(int index) {
            return "part-" + index;
        }

        @Override
        public Iterator<Integer> call(Integer index, Iterator<String> texts) {
            return ExecutorFailure.describing(() -> {
                Path folder = SharedFiles.local(parts);
                Path own = Files.createDirectory(folder.resolve(".attempt-" + TaskContext.get().taskAttemptId() + "-" + UUID.randomUUID()));
                if (write(own, texts)) {
                    try {
                        Files.move(own, folder.resolve(name(index)), StandardCopyOption.ATOMIC_MOVE);
                    } catch (IOException e) {
                        if (!Files.exists(folder.resolve(name(index)))) { // otherwise another attempt was faster, with the same tokens
                            throw e;
                        }
                    }
                }
                return List.of(index).iterator();
            });
        }

        private boolean write(Path own, Iterator<String> texts) throws IOException {
            boolean any = false;
            try (LlamaTokenizer tokenizer = LlamaTokenizer.open(SharedFiles.local(encoding.tokenizer)); TokenFolder.Writer writer = TokenFolder.writer(own, "texts")) {
                TokenEncoder encoder = encoding.of(tokenizer);
                while (texts.hasNext()) {
                    String text = texts.next();
                    int[] ids = text.isEmpty() ? new int[0] : encoder.encode(text);
                    writer.add(ids, text.getBytes(StandardCharsets.UTF_8).length);
                    any |= ids.length > 0;
                }
                if (any) {
                    writer.end();
                }
            }
            return any;
        }
    }
}
