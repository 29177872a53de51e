package io.github.bts4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.TrainingException;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.adapter.AdapterConfig;
import io.github.bts4j.core.adapter.ModuleNames;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.llama.DocumentMask;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.FrozenStateCache;
import io.github.bts4j.stitch.PassOptions;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.AdapterTraining;
import io.github.bts4j.train.ExpertTraining;
import io.github.bts4j.train.StitchTraining;
import io.github.bts4j.train.TinyRuns;
import io.github.bts4j.train.Trainable;
import io.github.bts4j.train.Trainer;
import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.Validation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Steps whose passes are tasks of two at once, and the same in one process: the same bits. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS) // a class with another session extends it
class SparkTrainingTest {
    private static SparkSession spark;

    @TempDir
    private Path folder;

    SparkSession session() {
        return Runs.session();
    }

    @BeforeAll
    void open() {
        spark = session();
    }

    @AfterAll
    void close() throws IOException {
        spark.close();
    }

    private static List<String> stitch(double dropout, TrainerConfig config, Function<StitchTraining, Trainable> what) throws IOException {
        return stitch(dropout, config, what, trainer -> { });
    }

    private static List<String> stitch(double dropout, TrainerConfig config, Function<StitchTraining, Trainable> what, Consumer<Trainer> more) throws IOException {
        try (StitchedModel model = TinyRuns.stitched(dropout)) {
            return Runs.train(what.apply(new StitchTraining(model)), config, more, step -> { });
        }
    }

    @ParameterizedTest
    @EnumSource(Exchange.class)
    void stitchesWithDropoutAreEqualToTheBit(Exchange exchange) throws IOException {
        TrainerConfig config = Runs.config(5, 6, 3);
        List<String> here = stitch(0.2, config, all -> all);
        assertEquals(here, stitch(0.2, config, all -> SparkTraining.on(spark, all).withExchange(exchange)));
        assertTrue(here.size() > 10 && !here.equals(stitch(0.2, Runs.config(5, 6, 1), all -> all)), "another number of lanes is another sum");
    }

    /** The default: one lane, one task. */
    @Test
    void oneLaneIsEqualToTheBit() throws IOException {
        TrainerConfig config = Runs.config(3, 2, 1);
        assertEquals(stitch(0.1, config, all -> all), stitch(0.1, config, all -> SparkTraining.on(spark, all)));
    }

    @Test
    void validationAndEarlyStoppingAreEqual() throws IOException {
        Consumer<Trainer> validated = trainer -> trainer.validate(Validation.of(2, Map.of("held out", TinyRuns.domain("held out", 11, 3).windows(TinyRuns.LENGTH).subList(0, 30)), token -> 2));
        List<String> here = stitch(0.1, Runs.config(4, 2, 2), all -> all, validated);
        assertTrue(here.stream().filter(line -> line.startsWith("validation")).count() == 2, here.toString());
        assertEquals(here, stitch(0.1, Runs.config(4, 2, 2), all -> SparkTraining.on(spark, all), validated));
    }

    @ParameterizedTest
    @EnumSource(ActivationCheckpointing.class)
    void optionsOfPassesReachTheTasks(ActivationCheckpointing checkpointing) throws IOException {
        PassOptions options = PassOptions.DEFAULT.withCheckpointing(checkpointing).withDocumentMask(DocumentMask.endingWith(7));
        TrainerConfig config = Runs.config(2, 2, 2);
        List<String> here = stitch(0.1, config, all -> all.withOptions(options));
        assertEquals(here, stitch(0.1, config, all -> SparkTraining.on(spark, all.withOptions(options))));
        assertTrue(!here.equals(stitch(0.1, config, all -> all)), "the mask changes the losses");
    }

    @Test
    void oneExpertAloneIsEqualToTheBit() throws IOException {
        TrainerConfig config = Runs.config(3, 4, 2);
        assertEquals(stitch(0.1, config, all -> all.onlyExpert("code")), stitch(0.1, config, all -> SparkTraining.on(spark, all.onlyExpert("code"))));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void expertsAreEqualToTheBit(boolean frozenEmbeddings) throws IOException {
        List<List<String>> both = new ArrayList<>();
        for (boolean there : new boolean[] {false, true}) {
            try (LlamaModel seed = LlamaModel.open(TinyRuns.golden("bts-3x4").resolve("hub")); ExpertTraining expert = ExpertTraining.branch(seed)) {
                Trainable training = frozenEmbeddings ? expert.withFrozenEmbeddings() : expert;
                both.add(Runs.train(there ? SparkTraining.on(spark, training).withExchange(Exchange.SLICED) : training, Runs.config(3, 4, 4)));
            }
        }
        assertEquals(both.get(0), both.get(1));
    }

    /** LoRA, and DoRA, whose lengths of rows begin as the base's. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void adaptersAreEqualToTheBit(boolean dora) throws IOException {
        AdapterConfig config = AdapterConfig.lora(2, 4, new ModuleNames.AllLinear()).withDora(dora);
        List<List<String>> both = new ArrayList<>();
        for (boolean there : new boolean[] {false, true}) {
            try (LlamaModel base = LlamaModel.open(TinyRuns.golden("bts-3x4").resolve("hub")); AdapterTraining adapter = AdapterTraining.start(base, config, 3)) {
                both.add(Runs.train(there ? SparkTraining.on(spark, adapter) : adapter, Runs.config(3, 4, 2)));
                adapter.save(folder.resolve("adapter" + there));
            }
        }
        assertEquals(both.get(0), both.get(1));
        try (LlamaModel base = LlamaModel.open(TinyRuns.golden("bts-3x4").resolve("hub")); AdapterTraining adapter = AdapterTraining.from(base, folder.resolve("adaptertrue"))) {
            assertEquals(2, Runs.train(SparkTraining.on(spark, adapter), Runs.config(2, 2, 2)).stream().filter(line -> line.matches("\\d+ .*")).count(), "an adapter is continued");
        }
    }

    /** A run that was begun in one process goes on here, and the other way round. */
    @Test
    void aRunMovesBetweenOneProcessAndSpark() throws IOException {
        TrainerConfig config = Runs.config(6, 4, 2);
        List<String> whole = stitch(0.1, config, all -> all);
        for (List<Boolean> places : List.of(List.of(false, true), List.of(true, false))) {
            Path run = folder.resolve("run" + places);
            List<String> parts = new ArrayList<>();
            for (boolean there : places) {
                try (StitchedModel model = TinyRuns.stitched(0.1)) {
                    StitchTraining all = new StitchTraining(model);
                    List<String> lines = new ArrayList<>();
                    try (Trainer trainer = new Trainer(there ? SparkTraining.on(spark, all) : all, TinyRuns.data(), config,
                            metrics -> lines.add(metrics.step() + " " + Double.toHexString(metrics.loss()) + " " + Double.toHexString(metrics.gradNorm()) + " " + metrics.lossByDomain())).saveTo(run)) {
                        trainer.resumeFrom(run);
                        trainer.runTo(trainer.step() + 3);
                    }
                    parts.addAll(lines);
                }
            }
            assertEquals(whole.subList(0, 6), parts);
        }
    }

    @Test
    void aTrainingThatExecutorsCannotOpenIsRefused() throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0.1); FrozenStateCache cache = FrozenStateCache.open(folder)) {
            StitchTraining cached = new StitchTraining(model).withOptions(PassOptions.DEFAULT.withFrozenStateCache(cache));
            assertTrue(assertThrows(UnsupportedException.class, () -> SparkTraining.on(spark, cached)).getMessage().contains("cache of frozen states"));
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    /** The driver has the model open; the files are gone, or others, when a task opens them. */
    @Test
    void missingAndOtherFilesAreOneLine() throws IOException {
        for (String name : List.of("hub", "code")) {
            copy(TinyRuns.golden("bts-3x4").resolve(name), folder.resolve(name));
        }
        Path weights = folder.resolve("code/model.safetensors");
        try (StitchedModel model = StitchedModel.builder().config(StitchConfig.evenly(4, 2)).hub(folder.resolve("hub")).expert("code", folder.resolve("code")).open()) {
            Trainable training = SparkTraining.on(spark, new StitchTraining(model));
            Path away = Files.move(folder.resolve("code"), folder.resolve("away"));
            String missing = assertThrows(TrainingException.class, () -> Runs.train(training, Runs.config(2, 2, 2))).getMessage();
            assertTrue(missing.contains(folder.resolve("code") + " does not exist: every executor needs it under this path") && missing.lines().count() == 1, missing);
            Files.move(away, folder.resolve("code"));
            Files.move(weights, folder.resolve("before"));
            byte[] bytes = Files.readAllBytes(folder.resolve("before"));
            bytes[bytes.length - 5] ^= 1;
            Files.write(weights, bytes);
            String other = assertThrows(TrainingException.class, () -> Runs.train(training, Runs.config(2, 2, 2))).getMessage();
            assertTrue(other.contains("1:code/model.safetensors is ") && other.contains("give all machines the same files"), other);
        }
    }

    @Test
    void settingsThatDoNotFitAreRefused() {
        SparkConf conf = new SparkConf(false).set("spark.speculation", "true").set("spark.master", "spark://host:7077").set("spark.executor.cores", "8");
        String message = assertThrows(IllegalArgumentException.class, () -> SparkSettings.check(conf)).getMessage();
        assertTrue(message.contains("set spark.speculation=false") && message.contains("set spark.task.cpus=8"), message);
        SparkSettings.check(new SparkConf(false).set("spark.master", "spark://host:7077").set("spark.executor.cores", "8").set("spark.task.cpus", "8"));
        SparkConf small = new SparkConf(false).set("spark.master", "k8s://host").set("spark.executor.memory", "4g");
        String memory = assertThrows(IllegalArgumentException.class, () -> SparkSettings.checkMemory(small, 2L << 30)).getMessage();
        assertTrue(memory.contains("spark.executor.memoryOverhead = 409m") && memory.contains("set spark.executor.memoryOverhead=2049m"), memory);
        SparkSettings.checkMemory(small.set("spark.executor.memoryOverhead", "2049m"), 2L << 30);
        SparkConf standalone = new SparkConf(false).set("spark.master", "spark://host:7077");
        String cores = assertThrows(IllegalArgumentException.class, () -> SparkSettings.check(standalone)).getMessage();
        assertTrue(cores.contains("spark.executor.cores is not set") && cores.contains("set spark.executor.cores=1"), cores);
        String heap = assertThrows(IllegalArgumentException.class, () -> SparkSettings.checkHeap(standalone, 64L << 20)).getMessage();
        assertTrue(heap.contains("spark.executor.memory = 1024m") && heap.contains("set spark.executor.memory=1324m"), heap);
        SparkSettings.checkHeap(standalone.set("spark.executor.memory", "1324m"), 64L << 20);
        String result = assertThrows(IllegalArgumentException.class, () -> SparkSettings.checkResults(standalone, 2L << 30)).getMessage();
        assertTrue(result.contains("spark.driver.maxResultSize = 1024m") && result.contains("set spark.driver.maxResultSize=2112m"), result);
        SparkSettings.checkResults(standalone.set("spark.driver.maxResultSize", "0"), 2L << 30);
    }

    @Test
    void estimatesOfPassesGrowWithWhatTheyHold() throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0.1); LlamaModel seed = LlamaModel.open(TinyRuns.golden("bts-3x4").resolve("hub")); ExpertTraining expert = ExpertTraining.branch(seed)) {
            StitchTraining stitches = new StitchTraining(model);
            assertTrue(stitches.passBytes(2, 16) > 290L << 20 && stitches.passBytes(2, 16) < 320L << 20, "libtorch above all: " + stitches.passBytes(2, 16));
            assertTrue(expert.passBytes(8, 256) > expert.passBytes(4, 256) && SparkTraining.on(spark, expert).passBytes(8, 256) == expert.passBytes(8, 256));
            long full = expert.passBytes(64, 256);
            assertTrue(expert.withCheckpointing(ActivationCheckpointing.FULL).passBytes(64, 256) < full);
        }
    }

    @Test
    void aNativeCacheWithoutRoomIsRefused() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "no folder");
        String unwritable = assertThrows(UnsupportedException.class, () -> NativeCache.check(file.resolve("cache"), 1)).getMessage();
        assertTrue(unwritable.contains(file + "/cache, which cannot be written to") && unwritable.contains("set spark.executorEnv.DJL_CACHE_DIR"), unwritable);
        String full = assertThrows(UnsupportedException.class, () -> NativeCache.check(folder, Long.MAX_VALUE)).getMessage();
        assertTrue(full.contains(" MiB free, of ") && full.contains("set spark.executorEnv.DJL_CACHE_DIR"), full);
        Files.createDirectories(folder.resolve("2.7.1"));
        Files.writeString(folder.resolve("2.7.1/libtorch_cpu.so"), "there already");
        NativeCache.check(folder, Long.MAX_VALUE);
        NativeCache.check();
    }

    @Test
    void anotherKindOfProcessorIsRefused() {
        ExecutorPlace place = new ExecutorPlace(new HashMap<>(), "amd64 avx2", false, "");
        String message = assertThrows(UnsupportedException.class, place::threads).getMessage();
        assertTrue(message.contains("the driver's is amd64 avx2") && message.contains("spark.bts4j.mixedProcessors=true"), message);
        assertEquals(1, new ExecutorPlace(new HashMap<>(), "amd64 avx2", true, "").threads());
    }
}
