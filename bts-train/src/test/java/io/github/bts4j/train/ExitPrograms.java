package io.github.bts4j.train;

import ai.djl.Device;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;

/**
 * Computes on several threads until the process is told to end, or ends itself. Arguments: {@code scoring}, {@code generating} or {@code exit}, a seed, a folder
 * with {@link LifetimeModels}. Says "ready" when it has begun, and at the end that a shutdown hook computes.
 */
final class ExitPrograms {
    private static final int LONGEST_WAIT = 1500; // milliseconds
    private static final int STATUS = 7;

    private ExitPrograms() {}

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[2]);
        FrozenLm model = arguments[0].equals("generating") ? new LifetimeModels(folder).stitched(LoadOptions.defaults()) : large();
        Callable<?> task = arguments[0].equals("generating") ? generating(model, folder) : scoring(model);
        for (int i = 0; i < 3; i++) {
            Thread daemon = new Thread(() -> forever(task));
            daemon.setDaemon(true);
            daemon.start();
        }
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("A hook computes: " + (LifetimeAnswers.appended(model) != 0))));
        System.out.println("ready");
        if (arguments[0].equals("exit")) {
            Thread.sleep(new SplittableRandom(Long.parseLong(arguments[1])).nextInt(LONGEST_WAIT));
            System.exit(STATUS);
        }
        forever(task);
    }

    private static Callable<?> generating(FrozenLm model, Path folder) {
        LlamaTokenizer tokenizer = LlamaTokenizer.open(folder.resolve("hub"));
        return () -> LifetimeAnswers.generated(model, tokenizer);
    }

    private static Callable<?> scoring(FrozenLm model) {
        int[][] text = new int[4][400];
        for (int[] row : text) {
            Arrays.setAll(row, t -> 7 * t % 2048);
        }
        return () -> model.tokenLosses(text);
    }

    private static void forever(Callable<?> task) {
        try {
            while (true) {
                task.call();
            }
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** Its passes take so long that Java does not wait for their end: without a guard most such processes crash when they are told to end. */
    private static FrozenLm large() throws IOException {
        LlamaConfig config = LlamaConfig.builder().vocabSize(2048).hiddenSize(512).intermediateSize(1408).numLayers(8).numHeads(8).numKvHeads(4)
                .maxPositionEmbeddings(512).build();
        try (ExpertTraining random = ExpertTraining.fromScratch(config, 0.02, 1, Device.cpu())) {
            return random.freeze("large");
        }
    }
}
