package io.github.bts4j.examples.experiment;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.examples.experiment.ExperimentSpec.EvaluationSpec;
import io.github.bts4j.examples.report.DomainAverage;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.Window;
import io.github.bts4j.train.eval.BitsPerByte;
import io.github.bts4j.train.eval.ChoiceTask;
import io.github.bts4j.train.eval.EvaluatedModel;
import io.github.bts4j.train.eval.EvaluationResult;
import io.github.bts4j.train.eval.EvaluationResults;
import io.github.bts4j.train.eval.EvaluationTask;
import io.github.bts4j.train.eval.HeldOutItems;
import io.github.bts4j.train.eval.TokenBytes;
import io.github.bts4j.train.eval.WindowScores;
import io.github.bts4j.train.eval.WordProblems;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Scores models: bits per byte of held-out windows by domain, choice and cloze tasks made of held-out text, questions from files, arithmetic problems, method bodies. */
final class Scoring {
    static final String AVERAGE = "average";

    /** Number of parts of a window that are scored separately. */
    static final int PARTS = 8;

    private static final int BATCH = 16;
    /** Number of windows of generated problems, which are similar to each other. */
    private static final int PROBLEM_WINDOWS = 40;
    private static final int CONTEXT = 400;
    private static final int CHOICE = 80;
    private static final int ANSWER_TOKENS = 40;

    private final EvaluationSpec spec;
    private final Precision precision;
    private final LlamaTokenizer tokenizer;
    private final Map<String, List<Window>> windows = new LinkedHashMap<>();
    private final List<EvaluationTask> tasks = new ArrayList<>();

    Scoring(ExperimentSpec experiment, Texts texts, LlamaTokenizer tokenizer) throws IOException {
        this.spec = experiment.evaluation();
        this.precision = experiment.frozenPrecision();
        this.tokenizer = tokenizer;
        int length = experiment.sequenceLength();
        spec.domains().stream().filter(texts::isChat).findFirst().ifPresent(chat -> {
            throw new IllegalArgumentException("evaluation.domains: '" + chat + "' has conversations, which are not joined to switching text: name domains of text. Conversations are scored in any case");
        });
        spec.domains().forEach(domain -> windows.put(domain, some(texts.heldOut(domain).windows(length), spec.windows())));
        List<TokenDataset> members = spec.domains().stream().map(texts::heldOut).toList();
        if (members.size() > 1) {
            windows.put(Texts.SWITCHING, some(texts.switching(members).windows(length), spec.windows()));
        }
        experiment.domains().forEach((name, domain) -> {
            windows.computeIfAbsent(name, absent -> some(texts.heldOut(name).windows(length), texts.isChat(name) ? spec.windows() : Math.min(PROBLEM_WINDOWS, spec.windows())));
            if (domain instanceof ExperimentSpec.Arithmetic arithmetic) {
                WordProblems problems = new WordProblems(arithmetic.arithmetic(), 0, Texts.TEST_SHARE);
                tasks.add(problems.choiceTask(spec.problems()));
                tasks.add(problems.exactMatchTask(spec.problems(), ANSWER_TOKENS));
            } else if (spec.items() > 0 && !texts.isChat(name)) {
                HeldOutItems items = new HeldOutItems(texts.heldOutDocuments(name), 0);
                tasks.add(items.choices(choicesOf(name), spec.items(), CONTEXT, CHOICE));
                if (spec.cloze().contains(name)) {
                    tasks.add(items.cloze(name + "-cloze", spec.items(), CONTEXT / 2, CONTEXT));
                }
            }
        });
        for (Map.Entry<String, Path> questions : spec.questions().entrySet()) {
            throwIf(!Files.isRegularFile(questions.getValue()), () -> new IllegalArgumentException("evaluation.questions." + questions.getKey() + ": " + questions.getValue() + " is no file: give JSON lines of context, choices and answer"));
            tasks.add(ChoiceTask.read(questions.getKey(), questions.getValue()));
        }
        if (spec.methodBodies() > 0) {
            tasks.add(new HeldOutItems(texts.javaDocuments(), 0).methods("java-methods", spec.methodBodies(), CONTEXT, length / 2));
        }
    }

    /** Windows from all over the text. */
    static List<Window> some(List<Window> all, int most) {
        int count = Math.min(all.size(), most);
        return IntStream.range(0, count).mapToObj(i -> all.get((int) ((long) i * all.size() / count))).toList();
    }

    /** The name of the scores on one domain's segments of text that changes its domain. */
    static String segmentsOf(String domain) {
        return Texts.SWITCHING + ": " + domain;
    }

    /** The name of the questions made of a domain's text. */
    static String choicesOf(String domain) {
        return domain + "-choice";
    }

    Map<String, List<Window>> windows() {
        return windows;
    }

    /** Everything that scores depend on, besides the model. */
    String identity(boolean withTasks) {
        String read = windows.entrySet().stream().map(set -> set.getKey() + " " + hash(set.getValue())).collect(Collectors.joining(", "));
        return "windows " + read + " in " + precision + (windows.containsKey(Texts.SWITCHING) ? ", " + Texts.SWITCHING + " by segment" : "")
                + (withTasks ? ", tasks " + tasks.stream().map(task -> task.name() + " " + task.identity()).collect(Collectors.joining(", ")) : "");
    }

    private static String hash(List<Window> windows) {
        int hash = 1;
        for (Window window : windows) {
            hash = 31 * hash + Arrays.hashCode(window.tokens());
        }
        return windows.size() + ":" + Integer.toHexString(hash);
    }

    /**
     * The scores of a model.
     *
     * @param results its scores
     * @param positions bits per byte of every part of the windows, from their beginning to their end, by domain
     */
    record Scored(EvaluationResults results, Map<String, List<Double>> positions) {}

    Scored score(String name, CausalLm model, boolean withTasks) throws IOException {
        BitsPerByte bitsPerByte = new BitsPerByte(TokenBytes.of(tokenizer), BATCH);
        List<EvaluationResult> results = new ArrayList<>();
        Map<String, List<Double>> positions = new LinkedHashMap<>();
        windows.forEach((domain, set) -> {
            boolean isChat = set.get(0).counted().length > 0; // what an assistant says begins somewhere
            List<WindowScores> parts = bitsPerByte.byPart(model, set, isChat ? 1 : PARTS);
            if (!isChat) {
                positions.put(domain, parts.stream().map(WindowScores::bitsPerByte).toList());
            }
            results.add(EvaluationResult.of(name, domain, set, WindowScores.together(parts)));
        });
        Optional.ofNullable(windows.get(Texts.SWITCHING)).ifPresent(changing ->
                bitsPerByte.bySource(model, changing).forEach((domain, scores) -> results.add(EvaluationResult.of(name, segmentsOf(domain), changing, scores))));
        results.add(DomainAverage.of(name, AVERAGE, results.stream().filter(result -> spec.domains().contains(result.task())).toList()));
        EvaluatedModel evaluated = EvaluatedModel.of(name, model, tokenizer);
        for (EvaluationTask task : withTasks ? tasks : List.<EvaluationTask>of()) {
            results.addAll(task.evaluate(evaluated));
        }
        return new Scored(EvaluationResults.EMPTY.plus(results), positions);
    }
}
