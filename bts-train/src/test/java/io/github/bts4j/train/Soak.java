package io.github.bts4j.train;

import ai.djl.translate.TranslateException;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Queue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.IntStream;

/**
 * Eight threads open, close, generate, score, train, change, cancel and interrupt on models that they share, at random. Arguments: a folder with
 * {@link LifetimeModels}, seconds, a seed. Every answer is one that a single thread got before; what the process holds is measured between rounds, when
 * everything is closed, and printed: {@link SoakTest} compares. A quarter of the time passes before the first figures count.
 */
final class Soak {
    private static final int THREADS = 8;
    private static final int SHARED = 4;
    private static final int ROUNDS = 8;
    private static final int LONGEST_STEP = 600; // seconds
    private static final int STEPS = 2;
    private static final double NEARLY_NO_RATE = 1e-30; // all is trained, and the weights' answers stay what they are

    /** What threads ask of a model. */
    private enum Question { APPEND, GENERATE, SCORE, TOGETHER, PREDICT, TRAIN }

    private record Key(int kind, Question question) {}

    /** A model that all threads see. */
    private record Place(int kind, LifetimeModels.Opened opened) {}

    private final LifetimeModels models;
    private final LlamaTokenizer tokenizer;
    private final Map<Key, Set<Integer>> expected = new HashMap<>();
    private final AtomicReferenceArray<Place> places = new AtomicReferenceArray<>(SHARED);
    private final Queue<TokenStream> streams = new ConcurrentLinkedQueue<>();
    private final Thread[] workers = new Thread[THREADS];
    private final AtomicLong opened = new AtomicLong();
    private final AtomicLong answers = new AtomicLong();
    private final AtomicLong changes = new AtomicLong();
    private final AtomicLong refusals = new AtomicLong();

    private Soak(Path folder) {
        models = new LifetimeModels(folder);
        tokenizer = LlamaTokenizer.open(folder.resolve("hub"));
    }

    public static void main(String[] arguments) throws Exception {
        Watchdog dog = Watchdog.of(LONGEST_STEP);
        Soak soak = new Soak(Path.of(arguments[0]));
        soak.askAlone();
        long round = TimeUnit.SECONDS.toNanos(Long.parseLong(arguments[1])) / ROUNDS;
        SplittableRandom seeds = new SplittableRandom(Long.parseLong(arguments[2]));
        for (int i = 1; i <= ROUNDS; i++) {
            dog.begin("round " + i);
            soak.round(round, seeds.split());
            System.out.println("round " + i + ": " + ProcessFigures.now().json());
        }
        System.out.println("opened " + soak.opened + ", answers " + soak.answers + ", changes " + soak.changes + ", refusals " + soak.refusals);
    }

    /** Every kind of model and every question, with the experts that it begins with and, where they may change, without one. */
    private void askAlone() throws Exception {
        for (int kind = 0; kind < LifetimeModels.KINDS; kind++) {
            try (LifetimeModels.Opened alone = models.open(kind)) {
                ask(kind, alone.model());
                if (alone.model() instanceof StitchedModel stitched) {
                    stitched.removeExpert("math");
                    ask(kind, stitched);
                    stitched.addExpert("math", models.folder().resolve("math"));
                    ask(kind, stitched);
                }
            }
        }
        expected.forEach((key, found) -> {
            if (found.size() > (key.question == Question.TOGETHER ? 4 : 2)) {
                throw new AssertionError(key + ": an expert that leaves and comes back changes the answer");
            }
        });
    }

    private void ask(int kind, FrozenLm model) throws Exception {
        for (Question question : Question.values()) {
            if (question != Question.TRAIN || model instanceof StitchedModel) {
                Set<Integer> found = expected.computeIfAbsent(new Key(kind, question), any -> new HashSet<>());
                IntStream.of(answers(question, model)).forEach(found::add);
            }
        }
    }

    private int[] answers(Question question, FrozenLm model) throws Exception {
        return question == Question.TOGETHER ? together(model) : new int[] {answer(question, model)};
    }

    private int answer(Question question, FrozenLm model) throws Exception {
        return switch (question) {
            case APPEND -> LifetimeAnswers.appended(model);
            case GENERATE -> LifetimeAnswers.generated(model, tokenizer);
            case SCORE -> Arrays.deepHashCode(model.tokenLosses(new int[][] {LifetimeAnswers.PROMPT, LifetimeAnswers.PROMPT}));
            case TOGETHER -> throw new IllegalArgumentException("two answers");
            case PREDICT -> LifetimeAnswers.predicted(model, tokenizer);
            case TRAIN -> trained((StitchedModel) model);
        };
    }

    /** What two sessions find likeliest, step by step: each of them with the experts that there were when it was opened. */
    private static int[] together(FrozenLm model) {
        try (DecodeSession first = model.newSession(20); DecodeSession second = model.newSession(20)) {
            first.append(LifetimeAnswers.PROMPT);
            second.append(1);
            int[] hashes = {1, 2};
            for (int t = 0; t < 4; t++) {
                float[][] logits = model.appendEach(List.of(first, second), new int[] {t, 9 * t});
                for (int i = 0; i < hashes.length; i++) {
                    hashes[i] = 31 * hashes[i] + likeliest(logits[i]);
                }
            }
            return hashes;
        }
    }

    private static int likeliest(float[] logits) {
        return IntStream.range(0, logits.length).reduce((a, b) -> logits[b] > logits[a] ? b : a).orElseThrow();
    }

    private static int trained(StitchedModel model) throws IOException {
        TinyRuns.Record record = new TinyRuns.Record();
        TrainerConfig config = TrainerConfig.of(STEPS, 2, TinyRuns.LENGTH, new LearningRate.Constant(NEARLY_NO_RATE)).withSeed(9);
        try (Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), config, record)) {
            trainer.run();
        }
        return record.losses().hashCode();
    }

    private void round(long nanos, SplittableRandom random) throws Exception {
        long end = System.nanoTime() + nanos;
        List<Callable<?>> tasks = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            int number = i;
            SplittableRandom own = random.split();
            tasks.add(() -> {
                workers[number] = Thread.currentThread();
                while (System.nanoTime() < end) {
                    step(own);
                }
                return null;
            });
        }
        LifetimePrograms.together(tasks);
        Arrays.fill(workers, null);
        streams.forEach(TokenStream::close);
        streams.clear();
        for (int i = 0; i < SHARED; i++) {
            replace(i, null);
        }
    }

    private void replace(int place, Place next) {
        Place before = places.getAndSet(place, next);
        if (before != null) {
            before.opened.close();
        }
    }

    /** One random thing with one random model. */
    private void step(SplittableRandom random) throws Exception {
        int number = random.nextInt(SHARED);
        Place place = places.get(number);
        try {
            if (place == null || random.nextInt(12) == 0) {
                open(number, random.nextInt(LifetimeModels.KINDS));
                return;
            }
            switch (random.nextInt(10)) {
                case 0 -> change(place.opened.model(), random.nextBoolean());
                case 1 -> cancelled(place.opened.model());
                case 2 -> cancelOther();
                case 3 -> interrupt(random.nextInt(THREADS));
                default -> compared(place, Question.values()[random.nextInt(Question.values().length)]);
            }
        } catch (RuntimeException | TranslateException | IOException e) {
            if (!isLegitimate(e)) {
                throw e;
            }
            refusals.incrementAndGet();
        }
    }

    /** What others may have done meanwhile: closed, changed or begun to train the model, closed the stream, interrupted the reading of a file. */
    private static boolean isLegitimate(Exception e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof ClosedByInterruptException) {
                return true;
            }
        }
        Throwable said = e instanceof TranslateException ? e.getCause() : e;
        return String.valueOf(said.getMessage()).matches("(?s)This (model|session) is closed|This model is (already )?being trained.*|No expert is called 'math'.*|.*two models are called 'math'.*"
                + "|The model's experts or stitch weights have changed since this trainer was created: create a new trainer");
    }

    private void open(int number, int kind) throws IOException {
        Thread.interrupted(); // nobody can read a file otherwise
        LifetimeModels.Opened next = models.open(kind);
        opened.incrementAndGet();
        replace(number, new Place(kind, next));
    }

    private void compared(Place place, Question question) throws Exception {
        Set<Integer> possible = expected.get(new Key(place.kind, question));
        if (possible == null) {
            return;
        }
        for (int found : answers(question, place.opened.model())) {
            if (!possible.contains(found)) {
                throw new AssertionError(question + " of kind " + place.kind + ": another answer than a single thread's");
            }
        }
        answers.incrementAndGet();
    }

    private void change(FrozenLm model, boolean add) throws IOException {
        if (model instanceof StitchedModel stitched) {
            Thread.interrupted();
            if (add) {
                stitched.addExpert("math", models.folder().resolve("math"));
            } else {
                stitched.removeExpert("math");
            }
            changes.incrementAndGet();
        }
    }

    /** A stream that another thread may close. */
    private void cancelled(FrozenLm model) {
        try (TokenStream stream = new Generator(model, tokenizer).stream(LifetimeAnswers.PROMPT, LifetimeAnswers.GREEDY)) {
            streams.add(stream);
            while (stream.hasNext()) {
                stream.next();
            }
        } catch (NoSuchElementException e) {
            refusals.incrementAndGet(); // closed between the two
        }
    }

    private void cancelOther() {
        TokenStream stream = streams.poll();
        if (stream != null) {
            stream.close();
        }
    }

    private void interrupt(int worker) {
        Thread other = workers[worker];
        if (other != null) {
            other.interrupt();
        }
    }
}
