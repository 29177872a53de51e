package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.bts4j.core.MismatchException;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.fuzz.ByteMutation;
import io.github.bts4j.core.fuzz.Fuzz;
import io.github.bts4j.core.fuzz.JsonMutation;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Stitch checkpoints and frozen-state cache, damaged. */
class StitchFilesFuzzTest {

    private static final int COUNT = 200;
    private static final int[][] TOKENS = TinyModels.tokens(3, 3, 21, 160);

    @TempDir
    private Path folder;

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> Files.isRegularFile(file) && !file.endsWith("lock")).sorted().toList();
        }
    }

    @Test
    void stitchCheckpoints() throws Exception {
        Path bases = folder.resolve("bases");
        TinyModels.copyFolder(TinyModels.golden("bts-3x4"), bases);
        Path stitch = folder.resolve("stitch");
        try (StitchedModel model = TinyModels.open(bases, StitchConfig.evenly(4, 2), LoadOptions.defaults(), "hub", "code", "math")) {
            StitchCheckpoint.save(model, stitch);
        }
        for (Path file : files(stitch)) {
            byte[] valid = Files.readAllBytes(file);
            boolean json = file.toString().endsWith(".json");
            Fuzz.run(file, valid, Fuzz.count(COUNT) / (json ? 1 : 2), json ? new JsonMutation("\"../bases\"", "\"/dev/zero\"")::of : (bytes, random) -> ByteMutation.of(bytes, 2000, random),
                    damaged -> StitchCheckpoint.open(stitch, LoadOptions.defaults()).close(), Set.of(ModelFormatException.class, MismatchException.class, IllegalArgumentException.class));
            Files.write(file, valid);
        }
    }

    /** A record is the one that was stored, or is told to be missing; and a missing one can be stored again. */
    @ParameterizedTest
    @ValueSource(strings = {"index", "states"})
    void frozenStateStores(String which) throws Exception {
        Path stores = Files.createDirectories(folder.resolve("stores"));
        byte[][] records = new byte[12][48];
        for (int i = 0; i < records.length; i++) {
            new Random(i).nextBytes(records[i]);
        }
        List<TokensHash> hashes = IntStream.range(0, records.length).mapToObj(i -> TokensHash.ofRows(new long[] {i, 7, i * 3L}, 1).get(0)).toList();
        useStore(stores, hashes, records);
        Map<Path, byte[]> valid = new HashMap<>();
        for (Path file : files(stores)) {
            valid.put(file, Files.readAllBytes(file));
        }
        Path damaged = files(stores).stream().filter(file -> file.toString().endsWith(which)).findFirst().orElseThrow();
        Fuzz.run(damaged, valid.get(damaged), Fuzz.count(COUNT), ByteMutation::of, file -> {
            useStore(stores, hashes, records);
            for (Map.Entry<Path, byte[]> other : valid.entrySet()) {
                if (!other.getKey().equals(damaged)) {
                    Files.write(other.getKey(), other.getValue());
                }
            }
        }, Set.of());
    }

    private static void useStore(Path folder, List<TokensHash> hashes, byte[][] records) throws IOException {
        ByteBuffer into = ByteBuffer.allocate(records[0].length);
        for (int pass = 0; pass < 2; pass++) {
            try (FrozenStateStore store = FrozenStateStore.open(folder, "a key", records[0].length)) {
                for (int i = 0; i < records.length; i++) {
                    if (store.read(hashes.get(i), into.clear())) {
                        assertArrayEquals(records[i], into.array());
                    } else {
                        assertEquals(0, pass, "what was stored again is missing");
                        store.append(hashes.get(i), ByteBuffer.wrap(records[i]));
                    }
                }
            }
        }
    }

    /** Whatever is damaged, the losses are the right ones. */
    @Test
    void frozenStateCaches() throws Exception {
        Path cached = folder.resolve("cache");
        try (StitchedModel model = TinyModels.open(TinyModels.golden("bts-3x4"), StitchConfig.evenly(4, 2).withDropout(0), LoadOptions.defaults(), "hub", "code", "math")) {
            float[] expected = losses(model, cached);
            for (Path file : files(cached)) {
                byte[] valid = Files.readAllBytes(file);
                Fuzz.run(file, valid, Fuzz.count(COUNT) / 8, ByteMutation::of, damaged -> assertArrayEquals(expected, losses(model, cached)), Set.of());
            }
        }
    }

    private static float[] losses(StitchedModel model, Path folder) throws IOException {
        try (FrozenStateCache cache = FrozenStateCache.open(folder)) {
            model.stitchTensors().values().forEach(tensor -> tensor.setRequiresGradient(true));
            return model.accumulateGradients(TOKENS, 0.01f, 0, PassOptions.DEFAULT.withFrozenStateCache(cache));
        }
    }
}
