package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.github.bts4j.core.MismatchException;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.fuzz.ByteMutation;
import io.github.bts4j.core.fuzz.Fuzz;
import io.github.bts4j.core.fuzz.JsonMutation;
import io.github.bts4j.core.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Stitch checkpoints and prefix caches, damaged. */
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
            Fuzz.run(file, valid, json ? Fuzz.count(COUNT) : COUNT / 4, json ? new JsonMutation("\"../bases\"", "\"/dev/zero\"")::of : (bytes, random) -> ByteMutation.of(bytes, 2000, random),
                    damaged -> StitchCheckpoint.open(stitch, LoadOptions.defaults()).close(), Set.of(ModelFormatException.class, MismatchException.class, IllegalArgumentException.class));
            Files.write(file, valid);
        }
    }

    /** Whatever is damaged, the losses are the right ones. */
    @Test
    void prefixCaches() throws Exception {
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
        try (PrefixCache cache = PrefixCache.open(folder)) {
            model.stitchTensors().values().forEach(tensor -> tensor.setRequiresGradient(true));
            return model.accumulateGradients(TOKENS, 0.01f, 0, PassOptions.DEFAULT.withPrefixCache(cache));
        }
    }
}
