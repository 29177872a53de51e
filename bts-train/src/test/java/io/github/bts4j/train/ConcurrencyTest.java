package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One loaded model under many threads: texts and log-probabilities are those of one thread, and nothing stays behind. */
class ConcurrencyTest {
    private static final int THREADS = 16;
    private static final int GENERATIONS = 200;
    private static final int TOKENS = 20;
    private static final String[] WORDS = {"the house", "public static", "|- ( A e. B", "Y dijo", "\uD83C\uDF33 \u6728"};

    @TempDir
    private Path folder;

    @Test
    void sixteenThreadsGenerateWhatOneDoes() throws Exception {
        onBoth((name, model, generator) -> {
            List<String> alone = IntStream.range(0, GENERATIONS).mapToObj(i -> generate(generator, i)).toList();
            assertTrue(alone.stream().distinct().count() > GENERATIONS / 2, "the generations differ from each other");
            int before = Torch.manager().getManagedArrays().size();
            assertEquals(alone, together(generator), name);
            assertEquals(before, Torch.manager().getManagedArrays().size(), name);
        });
    }

    @Test
    @Tag("slow")
    void memoryStaysFlatOverRounds() throws Exception {
        assumeTrue(Files.exists(Path.of("/proc/self/status")), "needs /proc/self/status");
        onBoth((name, model, generator) -> {
            together(generator);
            together(generator);
            double before = resident();
            for (int round = 0; round < 5; round++) {
                together(generator);
            }
            double after = resident();
            System.out.printf("%s, 1000 generations on %d threads: %.1f MiB, then %.1f MiB%n", name, THREADS, before, after);
            assertTrue(after - before < 30, name + ": grew from " + before + " to " + after + " MiB");
        });
    }

    /** Every eighth stream is cancelled half way; what it said until then counts. */
    private static String generate(Generator generator, int i) {
        GenerationConfig config = GenerationConfig.greedy(TOKENS).withTemperature(i % 3 == 0 ? 0 : 0.9).withTopP(0.95).withSeed(i);
        StringBuilder said = new StringBuilder();
        try (TokenStream stream = generator.stream(WORDS[i % WORDS.length] + " " + i, config)) {
            for (int t = 0; stream.hasNext() && !(i % 8 == 7 && t == TOKENS / 2); t++) {
                var token = stream.next();
                said.append(token.id()).append(' ').append(token.logProb()).append(token.text()).append('\n');
            }
        }
        return said.toString();
    }

    private static List<String> together(Generator generator) throws InterruptedException, ExecutionException {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try {
            List<Future<String>> futures = new ArrayList<>();
            for (int i = 0; i < GENERATIONS; i++) {
                int number = i;
                futures.add(threads.submit(() -> generate(generator, number)));
            }
            List<String> texts = new ArrayList<>();
            for (Future<String> future : futures) {
                texts.add(future.get());
            }
            return texts;
        } finally {
            threads.shutdownNow();
        }
    }

    private interface Check {
        void run(String name, CausalLm model, Generator generator) throws Exception;
    }

    private void onBoth(Check check) throws Exception {
        Path files = Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer");
        String[] names = {"hub", "code", "math"};
        TinyRuns.textModels(folder, names);
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(files);
                LlamaModel alone = LlamaModel.open(folder.resolve("hub"));
                StitchedModel stitched = TinyRuns.stitched(folder, 0, names)) {
            check.run("one model", alone, new Generator(alone, tokenizer));
            check.run("stitched model", stitched, new Generator(stitched, tokenizer));
        }
    }

    private static double resident() throws IOException {
        System.gc();
        String line = Files.readAllLines(Path.of("/proc/self/status")).stream().filter(text -> text.startsWith("VmRSS:")).findFirst().orElseThrow();
        return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
    }
}
