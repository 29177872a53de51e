package io.github.bts4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.TrainingException;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.StitchTraining;
import io.github.bts4j.train.TinyRuns;
import io.github.bts4j.train.Trainable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** Models in HDFS: Hadoop's own cluster in this process, and executors in others, each with its own copies. With {@code -Phdfs,slow-tests}, which brings Hadoop's cluster. */
@Tag("slow")
@EnabledIf("io.github.bts4j.spark.MiniHdfs#isThere")
class HdfsTest {
    @TempDir
    private static Path folder;

    private static MiniHdfs hdfs;
    private static SparkSession spark;

    @BeforeAll
    static void open() throws Exception {
        hdfs = MiniHdfs.open(folder.resolve("hdfs"));
        System.setProperty("bts4j.files", folder.resolve("driver").toString());
        spark = LocalSpark.open("local-cluster[2,1,512]", Map.of("spark.executor.memory", "512m", "spark.executorEnv.OMP_NUM_THREADS", "1", "spark.executor.extraJavaOptions",
                "-XX:+UseSerialGC --enable-native-access=ALL-UNNAMED -Dbts4j.files=" + folder.resolve("executors")));
    }

    @AfterAll
    static void close() throws Exception {
        System.clearProperty("bts4j.files");
        if (spark != null) {
            spark.close();
        }
        if (hdfs != null) {
            hdfs.close();
        }
    }

    private static StitchedModel stitched(Path hub, Path code, Path math) throws IOException {
        return StitchedModel.builder().config(StitchConfig.evenly(4, 2).withDropout(0.1)).hub(hub).expert("code", code).expert("math", math).open();
    }

    private static List<String> train(StitchedModel model, UnaryOperator<Trainable> where) throws IOException {
        try (model) {
            return Runs.train(where.apply(new StitchTraining(model)), Runs.config(4, 4, 2));
        }
    }

    private static long copies(String name) throws IOException {
        if (!Files.exists(folder.resolve(name))) {
            return 0;
        }
        try (Stream<Path> all = Files.list(folder.resolve(name))) {
            return all.filter(each -> !each.getFileName().toString().startsWith(".")).count();
        }
    }

    @Test
    void stitchesOfModelsThereAreEqualToTheBit() throws IOException {
        Path golden = TinyRuns.golden("bts-3x4");
        long driver = copies("driver");
        long executors = copies("executors");
        List<String> here = train(stitched(golden.resolve("hub"), golden.resolve("code"), golden.resolve("math")), all -> all);
        Path hub = SharedFiles.local(hdfs.put(golden.resolve("hub"), "hub"));
        Path code = SharedFiles.local(hdfs.put(golden.resolve("code"), "code"));
        String address = hdfs.put(golden.resolve("math"), "math");
        Path math = SharedFiles.local(address);
        assertTrue(hub.startsWith(folder.resolve("driver")) && address.startsWith("hdfs://"), hub + " " + address);
        assertEquals(here, train(stitched(hub, code, math), all -> SparkTraining.on(spark, all)));
        assertEquals(3, copies("driver") - driver);
        assertEquals(3, copies("executors") - executors, "one copy for both executors of the machine");
        hdfs.delete("math");
        String missing = assertThrows(TrainingException.class, () -> train(stitched(hub, code, math), all -> SparkTraining.on(spark, all))).getMessage();
        assertTrue(missing.startsWith(address + " does not exist (executor ") && missing.lines().count() == 1, missing);
    }

    @Test
    void bitsPerByteOfAModelThereAreEqual() throws IOException {
        Path model = TinyRuns.textModel(folder.resolve("text-model"), 3);
        Dataset<Row> texts = spark.createDataset(List.of("one two three", "été 東京", "int f(int x) { return x; }"), Encoders.STRING()).toDF("text").repartition(2);
        List<Row> here = SparkScoring.bitsPerByte(texts, "text", model.toString()).orderBy("text").collectAsList();
        assertEquals(here, SparkScoring.bitsPerByte(texts, "text", hdfs.put(model, "text-model")).orderBy("text").collectAsList());
        assertEquals(3, here.size());
    }
}
