package io.github.bts4j.train;

import ai.djl.Device;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.FrozenLm;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaModel;
import io.github.bts4j.core.llama.LoadOptions;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.llama.Quantization;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.stitch.baseline.BtmEnsemble;
import io.github.bts4j.stitch.baseline.RoutedExperts;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * Programs that open, compute and close in every order, each in a process of its own, since what they look for ends the process. Arguments: the program, the
 * number of trials, a seed, a folder with the models hub, code and math of the bundled tokenizer's vocabulary. Exit status 0: every answer was that of a single
 * thread, or the sentence that the model is closed.
 */
final class LifetimePrograms {
    static final List<String> PROGRAMS = List.of("leftover", "losses", "append", "generate", "together", "cancel", "change", "train");

    private static final int THREADS = 8;
    private static final int[] PROMPT = {3, 141, 59, 26, 535};
    private static final int NEW_TOKENS = 12;
    private static final GenerationConfig GREEDY = GenerationConfig.greedy(NEW_TOKENS);

    private final Path folder;
    private final SplittableRandom random;
    private final LlamaTokenizer tokenizer;

    private LifetimePrograms(Path folder, long seed) {
        this.folder = folder;
        this.random = new SplittableRandom(seed);
        this.tokenizer = LlamaTokenizer.open(folder.resolve("hub"));
    }

    public static void main(String[] arguments) throws Exception {
        LifetimePrograms programs = new LifetimePrograms(Path.of(arguments[3]), Long.parseLong(arguments[2]));
        int trials = Integer.parseInt(arguments[1]);
        for (int trial = 0; trial < trials; trial++) {
            programs.run(arguments[0], trial);
        }
        System.out.println(arguments[0] + ": " + trials + " trials");
    }

    private void run(String program, int trial) throws Exception {
        switch (program) {
            case "scoring", "generating", "exit" -> busy(program);
            case "leftover" -> leftover(open(trial));
            case "losses" -> closedUnder(trial, model -> Arrays.deepHashCode(model.tokenLosses(new int[][] {PROMPT, PROMPT})));
            case "append" -> closedUnder(trial, LifetimePrograms::appended);
            case "generate" -> closedUnder(trial, this::generated);
            case "together" -> closedUnder(trial, LifetimePrograms::together);
            case "cancel" -> cancel(open(trial));
            case "change" -> change(trial);
            case "train" -> train(trial);
            default -> throw new IllegalArgumentException(program);
        }
    }

    /** Computes on several threads, until the process is told to end or ends itself. */
    private void busy(String program) throws Exception {
        FrozenLm model = program.equals("generating") ? stitched(LoadOptions.defaults()) : large();
        int[][] text = new int[4][400];
        for (int[] row : text) {
            Arrays.setAll(row, t -> 7 * t % 2048);
        }
        Callable<?> task = () -> {
            while (true) {
                if (program.equals("generating")) {
                    generated(model);
                } else {
                    model.tokenLosses(text);
                }
            }
        };
        for (int i = 0; i < 3; i++) {
            Thread daemon = new Thread(() -> {
                try {
                    task.call();
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            daemon.setDaemon(true);
            daemon.start();
        }
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("A hook computes: " + (appended(model) != 0))));
        System.out.println("ready");
        if (program.equals("exit")) {
            Thread.sleep(random.nextInt(1500));
            System.exit(7);
        }
        task.call();
    }

    /** Its passes take so long that Java does not wait for their end: without a guard most such processes crash when they are told to end. */
    private static FrozenLm large() {
        LlamaConfig config = LlamaConfig.builder().vocabSize(2048).hiddenSize(512).intermediateSize(1408).numLayers(8).numHeads(8).numKvHeads(4)
                .maxPositionEmbeddings(512).build();
        try (ExpertTraining random = ExpertTraining.fromScratch(config, 0.02, 1, Device.cpu())) {
            return random.freeze("large");
        }
    }

    /** A model of every kind in turn. */
    private FrozenLm open(int trial) throws IOException {
        LoadOptions options = LoadOptions.defaults();
        Path hub = folder.resolve("hub");
        return switch (trial % 8) {
            case 0 -> LlamaModel.open(hub, options);
            case 1 -> LlamaModel.open(hub, options.withRepacking(false));
            case 2 -> LlamaModel.open(hub, options.withQuantization(Quantization.INT8));
            case 3 -> LlamaModel.open(hub, options.withPrecision(Precision.BFLOAT16));
            case 4 -> stitched(options);
            case 5 -> stitched(options.withRepacking(false));
            case 6 -> stitched(options.withQuantization(Quantization.INT8));
            default -> RoutedExperts.open(stitchedMembers(), options);
        };
    }

    private List<io.github.bts4j.stitch.Member> stitchedMembers() {
        return List.of(new io.github.bts4j.stitch.Member("hub", folder.resolve("hub")), new io.github.bts4j.stitch.Member("code", folder.resolve("code")));
    }

    private StitchedModel stitched(LoadOptions options) throws IOException {
        return StitchedModel.builder().hub(folder.resolve("hub")).expert("code", folder.resolve("code")).expert("math", folder.resolve("math"))
                .config(StitchConfig.evenly(4, 2)).options(options).open();
    }

    private static void refused(Callable<?> call, String what) throws Exception {
        try {
            call.call();
        } catch (IllegalStateException e) {
            if (!e.getMessage().equals("This " + what + " is closed")) {
                throw new AssertionError(e.getMessage(), e);
            }
            return;
        }
        throw new AssertionError("answered after it was closed");
    }

    /** One thread: what is left over when a model is closed says so, and is closed itself without harm. */
    private void leftover(FrozenLm model) throws Exception {
        FrozenLm view = model instanceof StitchedModel stitched ? stitched.without(Set.of("math")) : new BtmEnsemble(List.of(model));
        DecodeSession session = model.newSession(64);
        DecodeSession ofView = view.newSession(64);
        DecodeSession other = model.newSession(64);
        session.append(1, 2, 3);
        ofView.append(1, 2, 3);
        other.append(4);
        TokenStream stream = new Generator(model, tokenizer).stream(PROMPT, GREEDY);
        stream.next();
        model.close();
        refused(() -> session.append(4), "model");
        refused(() -> ofView.append(4), "model");
        refused(() -> model.appendEach(List.of(session, other), new int[] {1, 2}), "model");
        refused(stream::next, "model");
        refused(() -> model.newSession(8), "model");
        refused(() -> view.newSession(8), "model");
        refused(() -> model.tokenLosses(new int[][] {PROMPT}), "model");
        refused(() -> view.tokenLosses(new int[][] {PROMPT}), "model");
        session.close();
        session.close();
        refused(() -> {
            session.append(4);
            return null;
        }, "model");
        model.close();
        stream.close();
        view.close();
        ofView.close();
        other.close();
    }

    /** What threads compute with a model, reduced to a number. */
    private interface Answer {
        int of(FrozenLm model);
    }

    private static int appended(FrozenLm model) {
        try (DecodeSession session = model.newSession(PROMPT.length + NEW_TOKENS)) {
            int hash = Arrays.hashCode(session.append(PROMPT));
            for (int t = 0; t < NEW_TOKENS; t++) {
                hash = 31 * hash + Arrays.hashCode(session.append(7 * t));
            }
            return hash;
        }
    }

    private int generated(FrozenLm model) {
        try (TokenStream stream = new Generator(model, tokenizer).stream(PROMPT, GREEDY)) {
            while (stream.hasNext()) {
                stream.next();
            }
            return stream.result().tokens().hashCode();
        }
    }

    private static int together(FrozenLm model) {
        try (DecodeSession first = model.newSession(20); DecodeSession second = model.newSession(20)) {
            first.append(PROMPT);
            second.append(1);
            int hash = 0;
            for (int t = 0; t < 4; t++) {
                hash = 31 * hash + Arrays.deepHashCode(model.appendEach(List.of(first, second), new int[] {t, 9 * t}));
            }
            return hash;
        }
    }

    /** Eight threads compute, and two others close. */
    private void closedUnder(int trial, Answer answer) throws Exception {
        int expected;
        try (FrozenLm alone = open(trial)) {
            expected = answer.of(alone);
        }
        FrozenLm model = open(trial);
        CyclicBarrier begin = new CyclicBarrier(THREADS + 2);
        List<Callable<?>> tasks = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            boolean interrupted = i == 0;
            tasks.add(() -> {
                begin.await();
                while (true) {
                    if (interrupted) {
                        Thread.currentThread().interrupt();
                    }
                    int found;
                    try {
                        found = answer.of(model);
                    } catch (IllegalStateException e) {
                        if (!"This model is closed".equals(e.getMessage())) {
                            throw e;
                        }
                        return null;
                    }
                    if (found != expected) {
                        throw new AssertionError("another answer than a single thread's");
                    }
                }
            });
        }
        for (int i = 0; i < 2; i++) {
            long nanos = random.nextLong(TimeUnit.MILLISECONDS.toNanos(12));
            tasks.add(() -> {
                begin.await();
                LockSupport.parkNanos(nanos);
                model.close();
                return null;
            });
        }
        together(tasks);
    }

    /** Runs tasks on threads of their own and throws what one of them threw. */
    static void together(List<? extends Callable<?>> tasks) throws Exception {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<Thread> threads = tasks.stream().map(task -> new Thread(() -> {
            try {
                task.call();
            } catch (Throwable e) {
                failure.compareAndSet(null, e);
            }
        })).toList();
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        if (failure.get() != null) {
            throw new AssertionError(failure.get());
        }
    }

    /** A stream and a session are closed by another thread than the one that reads them. */
    private void cancel(FrozenLm model) throws Exception {
        try (model) {
            DecodeSession session = model.newSession(100);
            TokenStream stream = new Generator(model, tokenizer).stream(PROMPT, GenerationConfig.greedy(100));
            List<Callable<?>> tasks = List.of(() -> {
                try {
                    for (int t = 0; t < 100; t++) {
                        session.append(t);
                    }
                } catch (IllegalStateException e) {
                    if (!e.getMessage().equals("This session is closed")) {
                        throw e;
                    }
                }
                return null;
            }, () -> {
                try {
                    while (stream.hasNext()) {
                        stream.next();
                    }
                } catch (java.util.NoSuchElementException e) {
                    return null;
                } catch (IllegalStateException e) {
                    if (!e.getMessage().equals("This session is closed")) {
                        throw e;
                    }
                }
                return null;
            }, () -> {
                LockSupport.parkNanos(500_000);
                stream.close();
                session.close();
                return null;
            });
            together(tasks);
        }
    }

    /** Experts come and go while streams are open: a text is that of the model that it began with. */
    private void change(int trial) throws Exception {
        LoadOptions options = trial % 2 == 0 ? LoadOptions.defaults() : LoadOptions.defaults().withRepacking(false);
        int three;
        int two;
        try (StitchedModel model = stitched(options)) {
            three = generated(model);
            model.removeExpert("math");
            two = generated(model);
        }
        StitchedModel model = stitched(options);
        CyclicBarrier begin = new CyclicBarrier(5);
        List<Callable<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            tasks.add(() -> {
                begin.await();
                for (int k = 0; k < 3; k++) {
                    int found = generated(model);
                    if (found != three && found != two) {
                        throw new AssertionError("a text that belongs to no model");
                    }
                }
                return null;
            });
        }
        tasks.add(() -> {
            begin.await();
            for (int k = 0; k < 3; k++) {
                model.removeExpert("math");
                LockSupport.parkNanos(random.nextLong(2_000_000));
                model.addExpert("math", folder.resolve("math")); // average of all: the same as at the beginning
                LockSupport.parkNanos(random.nextLong(2_000_000));
            }
            return null;
        });
        together(tasks);
        model.close();
    }

    /** A model is closed, changed and read while it is trained. */
    private void train(int trial) throws Exception {
        StitchedModel model = stitched(LoadOptions.defaults());
        Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(1000), metrics -> { });
        List<Callable<?>> tasks = List.of(() -> {
            try {
                trainer.run();
            } catch (IllegalStateException e) {
                if (!e.getMessage().matches("This (model|trainer) is closed|The model's experts .* were exchanged after this trainer was made: make a new one")) { // removed before it began
                    throw e;
                }
            }
            return null;
        }, () -> {
            try {
                for (int k = 0; k < 1000; k++) {
                    appended(model);
                    model.tokenLosses(new int[][] {PROMPT});
                }
            } catch (IllegalStateException e) {
                if (!e.getMessage().equals("This model is closed")) {
                    throw e;
                }
            }
            return null;
        }, () -> {
            LockSupport.parkNanos(20_000_000 + random.nextLong(40_000_000));
            try {
                model.removeExpert("math");
            } catch (IllegalStateException e) {
                if (!e.getMessage().startsWith("This model is being trained")) {
                    throw e;
                }
            }
            if (trial % 2 == 0) {
                model.close();
                trainer.close();
            } else {
                trainer.close();
                model.close();
            }
            return null;
        });
        together(tasks);
    }
}
