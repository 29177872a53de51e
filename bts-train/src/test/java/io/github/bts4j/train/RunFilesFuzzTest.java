package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.airlift.compress.zstd.ZstdOutputStream;
import io.github.bts4j.core.DataException;
import io.github.bts4j.core.MismatchException;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.fuzz.ByteMutation;
import io.github.bts4j.core.fuzz.Fuzz;
import io.github.bts4j.core.fuzz.JsonMutation;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.train.data.Document;
import io.github.bts4j.train.data.TextSource;
import io.github.bts4j.train.data.TokenCache;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that a training reads, damaged. */
class RunFilesFuzzTest {

    private static final int COUNT = 300;

    @TempDir
    private Path folder;

    private String lines() {
        return IntStream.range(0, 60).mapToObj(i -> "{\"text\":\"document " + i + " äé😀 " + "word ".repeat(i % 9) + "\"}\n").collect(Collectors.joining());
    }

    private interface Compressor {
        OutputStream of(OutputStream out) throws IOException;
    }

    private byte[] compressed(Compressor compressor) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream out = compressor.of(bytes)) {
            out.write(lines().getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toByteArray();
    }

    private static void read(Path file) {
        try (Stream<Document> documents = TextSource.jsonLines(file).documents()) {
            documents.forEach(Document::text);
        }
    }

    @Test
    void texts() throws Exception {
        Set<Class<? extends Exception>> documented = Set.of(DataException.class);
        Fuzz.run(folder.resolve("a.jsonl"), lines().getBytes(StandardCharsets.UTF_8), Fuzz.count(COUNT), ByteMutation::of, RunFilesFuzzTest::read, documented);
        Fuzz.run(folder.resolve("a.jsonl.gz"), compressed(GZIPOutputStream::new), Fuzz.count(COUNT), ByteMutation::of, RunFilesFuzzTest::read, documented);
        Fuzz.run(folder.resolve("a.jsonl.zst"), compressed(ZstdOutputStream::new), Fuzz.count(COUNT), ByteMutation::of, RunFilesFuzzTest::read, documented);
    }

    @Test
    void runCheckpoints() throws Exception {
        ChildRun.run("stitch", folder.resolve("run"), TinyRuns.config(6), 2);
        Path run = RunCheckpoint.latest(folder.resolve("run")).orElseThrow();
        for (String name : List.of("state.json", "weights.safetensors", "optimizer.safetensors")) {
            Path file = run.resolve(name);
            byte[] valid = Files.readAllBytes(file);
            Fuzz.Mutator mutator = name.endsWith("json") ? new JsonMutation()::of : (bytes, random) -> ByteMutation.of(bytes, 2000, random);
            Fuzz.run(file, valid, Fuzz.count(COUNT), mutator, damaged -> {
                RunCheckpoint.latestWhole(run.getParent(), message -> { });
                RunCheckpoint.state(run);
            }, Set.of(ModelFormatException.class));
            Files.write(file, valid);
        }
    }

    /** Damage that the description agrees with, as only intent makes it: tensors are restored whole, or refused. */
    @Test
    void runCheckpointsOfAStranger() throws Exception {
        ChildRun.run("expert", folder.resolve("run"), TinyRuns.config(6), 2);
        Path run = RunCheckpoint.latest(folder.resolve("run")).orElseThrow();
        Path description = run.resolve("state.json");
        String state = Files.readString(description);
        try (NDManager manager = NDManager.newBaseManager()) {
            for (String name : List.of("weights.safetensors", "optimizer.safetensors")) {
                Map<String, NDArray> weights = TensorFiles.read(manager, run.resolve("weights.safetensors"));
                Map<String, NDArray> optimizer = TensorFiles.read(manager, run.resolve("optimizer.safetensors"));
                byte[] valid = Files.readAllBytes(run.resolve(name));
                String hash = ModelFingerprint.sha256(run.resolve(name));
                Fuzz.run(run.resolve(name), valid, Fuzz.count(COUNT) / 2, (bytes, random) -> ByteMutation.of(bytes, 3000, random), damaged -> {
                    Files.writeString(description, state.replace(hash, ModelFingerprint.sha256(damaged)));
                    RunCheckpoint.restore(run, weights, optimizer);
                }, Set.of(ModelFormatException.class, MismatchException.class, IllegalArgumentException.class));
                Files.write(run.resolve(name), valid);
                Files.writeString(description, state);
            }
        }
    }

    /** Whatever is damaged, the tokens are the right ones. */
    @Test
    void tokenCaches() throws Exception {
        Path texts = Files.writeString(folder.resolve("a.jsonl"), lines());
        TokenCache cache = TokenCache.open(folder.resolve("cache"));
        String expected = dataset(cache, texts);
        Path made;
        try (Stream<Path> inside = Files.list(folder.resolve("cache"))) {
            made = inside.filter(Files::isDirectory).findFirst().orElseThrow();
        }
        for (String name : List.of("dataset.json", "documents.bin", "tokens-00000.bin")) {
            byte[] valid = Files.readAllBytes(made.resolve(name));
            Fuzz.Mutator mutator = name.endsWith("json") ? new JsonMutation()::of : ByteMutation::of;
            int count = Fuzz.count(COUNT) / 3;
            assertEquals(count, Fuzz.run(made.resolve(name), valid, count, mutator, file -> assertEquals(expected, dataset(cache, texts)), Set.of()));
        }
    }

    private static String dataset(TokenCache cache, Path texts) throws IOException {
        return cache.dataset("d", TextSource.jsonLines(texts), text -> text.codePoints().toArray(), "code points").fingerprint();
    }
}
