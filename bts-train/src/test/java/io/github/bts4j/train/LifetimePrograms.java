package io.github.bts4j.train;

import ai.djl.inference.Predictor;
import ai.djl.translate.TranslateException;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.llama.Repacking;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.djl.TextGenerationTranslator;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.stitch.baseline.BtmEnsemble;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * Programs that open, compute and close in every order, in a process of their own, since what they look for ends the process. Arguments: programs, separated by
 * commas, the number of trials of each, a seed, a folder with {@link LifetimeModels}. Exit status 0: every answer was that of a single thread, or the sentence that the model is
 * closed. A trial that hangs ends the process with {@link Watchdog#STATUS} and all stacks.
 */
final class LifetimePrograms {
    static final List<String> PROGRAMS = List.of("leftover", "losses", "append", "generate", "together", "batch", "predict", "cancel", "change", "train");
    private static final int LONGEST_TRIAL = Integer.getInteger("bts4j.longestTrial", 120); // seconds; a trial takes some tenths of one

    private static final int THREADS = 8;
    private static final long LONGEST_WAIT = TimeUnit.MILLISECONDS.toNanos(6);

    private final LifetimeModels models;
    private final Path folder;
    private final SplittableRandom random;
    private final Map<Integer, Integer> expected = new HashMap<>();
    private final LlamaTokenizer tokenizer;

    private LifetimePrograms(Path folder, long seed) {
        this.models = new LifetimeModels(folder);
        this.folder = folder;
        this.random = new SplittableRandom(seed);
        this.tokenizer = LlamaTokenizer.open(folder.resolve("hub"));
    }

    public static void main(String[] arguments) throws Exception {
        int trials = Integer.parseInt(arguments[1]);
        Watchdog dog = Watchdog.of(LONGEST_TRIAL);
        for (String program : arguments[0].split(",")) {
            LifetimePrograms programs = new LifetimePrograms(Path.of(arguments[3]), Long.parseLong(arguments[2]));
            for (int trial = 0; trial < trials; trial++) {
                dog.begin(program + ", trial " + trial);
                programs.run(program, trial);
            }
            programs.tokenizer.close();
            System.out.println(program + ": " + trials + " trials");
        }
    }

    private void run(String program, int trial) throws Exception {
        switch (program) {
            case "leftover" -> leftover(models.open(trial));
            case "losses" -> closedUnder(trial, model -> Arrays.deepHashCode(model.tokenLosses(new int[][] {LifetimeAnswers.PROMPT, LifetimeAnswers.PROMPT})));
            case "append" -> closedUnder(trial, LifetimeAnswers::appended);
            case "generate" -> closedUnder(trial, this::generated);
            case "together" -> closedUnder(trial, LifetimeAnswers::together);
            case "batch" -> closedUnder(trial, model -> new Generator(model, tokenizer).generateAll(LifetimeAnswers.TEXTS, LifetimeAnswers.GREEDY, 2).hashCode());
            case "predict" -> closedUnder(trial, model -> LifetimeAnswers.predicted(model, tokenizer));
            case "cancel" -> cancel(models.open(trial));
            case "change" -> change(trial);
            case "train" -> train(trial);
            default -> throw new IllegalArgumentException(program);
        }
    }

    private static void refused(Callable<?> call, String what) throws Exception {
        try {
            call.call();
        } catch (IllegalStateException | TranslateException e) {
            if (!isSaid(e, "This " + what + " is closed")) {
                throw new AssertionError(e.getMessage(), e);
            }
            return;
        }
        throw new AssertionError("answered after it was closed");
    }

    /** DJL's predictors wrap what goes wrong. */
    private static boolean isSaid(Exception e, String sentence) {
        Throwable said = e instanceof TranslateException ? e.getCause() : e;
        return said instanceof IllegalStateException && sentence.equals(said.getMessage());
    }

    /** One thread: what is left over when a model is closed says so, and is closed itself without harm. */
    private void leftover(LifetimeModels.Opened opened) throws Exception {
        FrozenLm model = opened.model();
        FrozenLm view = model instanceof StitchedModel stitched ? stitched.without(Set.of("math")) : new BtmEnsemble(List.of(model));
        DecodeSession session = model.newSession(64);
        DecodeSession ofView = view.newSession(64);
        DecodeSession other = model.newSession(64);
        session.append(1, 2, 3);
        ofView.append(1, 2, 3);
        other.append(4);
        TokenStream stream = new Generator(model, tokenizer).stream(LifetimeAnswers.PROMPT, LifetimeAnswers.GREEDY);
        stream.next();
        Predictor<String, String> predictor = model.newPredictor(new TextGenerationTranslator(tokenizer, LifetimeAnswers.GREEDY));
        predictor.predict(LifetimeAnswers.TEXTS.get(0));
        model.close();
        refused(() -> predictor.predict(LifetimeAnswers.TEXTS.get(0)), "model");
        refused(() -> session.append(4), "model");
        refused(() -> ofView.append(4), "model");
        refused(() -> model.appendEach(List.of(session, other), new int[] {1, 2}), "model");
        refused(stream::next, "model");
        refused(() -> model.newSession(8), "model");
        refused(() -> view.newSession(8), "model");
        refused(() -> model.tokenLosses(new int[][] {LifetimeAnswers.PROMPT}), "model");
        refused(() -> view.tokenLosses(new int[][] {LifetimeAnswers.PROMPT}), "model");
        session.close();
        session.close();
        refused(() -> {
            session.append(4);
            return null;
        }, "model");
        opened.close();
        stream.close();
        predictor.close();
        view.close();
        ofView.close();
        other.close();
    }

    private int generated(FrozenLm model) {
        return LifetimeAnswers.generated(model, tokenizer);
    }

    /** Eight threads compute, and two others close, in two orders where there is more than one model. */
    private void closedUnder(int trial, LifetimeAnswers.Answer answer) throws Exception {
        int alone = alone(trial % LifetimeModels.KINDS, answer);
        LifetimeModels.Opened opened = models.open(trial);
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
                        found = answer.of(opened.model());
                    } catch (IllegalStateException | TranslateException e) {
                        if (!isSaid(e, "This model is closed")) {
                            throw e;
                        }
                        return null;
                    }
                    if (found != alone) {
                        throw new AssertionError("another answer than a single thread's");
                    }
                }
            });
        }
        for (Runnable closing : List.<Runnable>of(opened::close, opened::closeFromBelow)) {
            long nanos = random.nextLong(LONGEST_WAIT);
            tasks.add(() -> {
                begin.await();
                LockSupport.parkNanos(nanos);
                closing.run();
                return null;
            });
        }
        together(tasks);
    }

    /** What a single thread gets of a model of this kind; asked once. */
    private int alone(int kind, LifetimeAnswers.Answer answer) throws Exception {
        if (!expected.containsKey(kind)) {
            try (LifetimeModels.Opened opened = models.open(kind)) {
                expected.put(kind, answer.of(opened.model()));
            }
        }
        return expected.get(kind);
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
    private void cancel(LifetimeModels.Opened opened) throws Exception {
        try (opened) {
            FrozenLm model = opened.model();
            DecodeSession session = model.newSession(100);
            TokenStream stream = new Generator(model, tokenizer).stream(LifetimeAnswers.PROMPT, GenerationConfig.greedy(100));
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
        LoadOptions options = trial % 2 == 0 ? LoadOptions.defaults() : LoadOptions.defaults().withRepacking(Repacking.NEVER);
        int three;
        int two;
        try (StitchedModel model = models.stitched(options)) {
            three = generated(model);
            model.removeExpert("math");
            two = generated(model);
        }
        if (three == two) {
            throw new AssertionError("the texts do not differ");
        }
        StitchedModel model = models.stitched(options);
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
        StitchedModel model = models.stitched(LoadOptions.defaults());
        Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(1000), metrics -> { });
        List<Callable<?>> tasks = List.of(() -> {
            try {
                trainer.run();
            } catch (IllegalStateException e) {
                if (!e.getMessage().matches("This (model|trainer) is closed|The model's experts .* have changed since this trainer was created: create a new trainer")) { // removed before it began
                    throw e;
                }
            }
            return null;
        }, () -> {
            try {
                for (int k = 0; k < 1000; k++) {
                    LifetimeAnswers.appended(model);
                    model.tokenLosses(new int[][] {LifetimeAnswers.PROMPT});
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
