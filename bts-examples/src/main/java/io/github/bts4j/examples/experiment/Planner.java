package io.github.bts4j.examples.experiment;

import ai.djl.Device;
import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.checkpoint.FileTree;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.examples.experiment.ExperimentSpec.ModelShape;
import io.github.bts4j.examples.experiment.ExperimentSpec.Published;
import io.github.bts4j.examples.experiment.ExperimentSpec.TrainingSpec;
import io.github.bts4j.train.ExpertTraining;
import io.github.bts4j.train.metrics.Median;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Collects the stages of an experiment, and their speeds. */
final class Planner {
    /** The folder of the measurement's models, in the output. */
    private static final String FOLDER = "plan";

    private static final String SCORING = "scoring";
    private static final int LEAST_STEPS = 3;

    private final ExperimentSpec spec;
    private final Texts texts;
    private final BaseModels base;
    private final Scoring scoring;
    private final List<Methods.Made> rows;
    private final List<Work> works = new ArrayList<>();
    private final Map<String, Double> speeds = new HashMap<>();

    /**
     * A training or scoring.
     *
     * @param stage its name
     * @param folder its folder
     * @param kind what has the same speed
     * @param tokens its tokens
     * @param models how many models' work each of them is, if it is scoring
     * @param speed measures its speed
     */
    private record Work(String stage, Path folder, String kind, long tokens, double models, Measurement speed) {}

    private interface Measurement {
        double tokensPerSecond(Rehearsal rehearsal) throws IOException;
    }

    Planner(ExperimentSpec spec, Texts texts, BaseModels base, Scoring scoring, List<Methods.Made> rows) {
        this.spec = spec;
        this.texts = texts;
        this.base = base;
        this.scoring = scoring;
        this.rows = rows;
    }

    Plan plan() throws IOException {
        models();
        methods();
        scores();
        for (Work work : works) {
            known(work);
        }
        measure();
        List<Plan.Line> lines = new ArrayList<>();
        for (Work work : works) {
            lines.add(new Plan.Line(work.stage(), work.tokens(), done(work), speeds.getOrDefault(work.kind(), Double.NaN) / work.models()));
        }
        return new Plan(lines);
    }

    private void models() {
        whole(BaseModels.SEED, spec.seed(), false);
        spec.experts().forEach((name, how) -> whole(name, how, spec.expertsKeepEmbeddings()));
        spec.newerExperts().forEach((name, newer) -> whole(name, spec.trainings().get(newer.training()), spec.expertsKeepEmbeddings()));
        Adapters.all(spec).forEach((name, one) -> {
            TrainingSpec how = spec.experts().get(one.expert());
            if (one.how() instanceof AdapterSpec.Trained) {
                works.add(new Work("adapter " + name, base.folder(name), "adapter " + one.how() + how.batch(), tokens(how), 1, rehearsal -> rehearsal.adapter(one.how(), how)));
            }
        });
    }

    private void whole(String name, TrainingSpec how, boolean keepsEmbeddings) {
        works.add(new Work((name.equals(BaseModels.SEED) ? "" : "expert ") + name, base.folder(name), "whole " + keepsEmbeddings + how.batch(), tokens(how), 1,
                rehearsal -> rehearsal.whole(how, keepsEmbeddings)));
    }

    private void methods() {
        for (Methods.Made row : rows) {
            if (row.method() instanceof Method.Trained trained) {
                TrainingSpec how = spec.trainings().get(trained.training());
                Method first = first(trained);
                works.add(new Work(row.title(), row.folder(), Methods.withoutTraining(first) + how.batch(), tokens(how), 1, rehearsal -> rehearsal.method(first, how)));
            }
        }
    }

    /** The method whose stitch layers another one trains further. */
    private Method first(Method method) {
        return method instanceof Derived derived ? first(spec.methods().get(derived.after().get(0))) : method;
    }

    private void scores() {
        List<String> names = new ArrayList<>(base.names());
        names.addAll(base.others());
        names.forEach(name -> score(name, 1));
        rows.forEach(row -> score(row.title(), modelsOf(first(row.method()))));
    }

    private void score(String title, double models) {
        long windows = scoring.windows().entrySet().stream().mapToLong(set -> set.getValue().size() * (set.getKey().equals(Texts.SWITCHING) ? 2L : 1L)).sum();
        works.add(new Work("score " + title, Scores.folder(spec, title), SCORING, windows * spec.sequenceLength(), models,
                rehearsal -> rehearsal.scoring(scoring.windows().get(spec.evaluation().domains().get(0)))));
    }

    /** How many models' work a token of a method is. */
    private double modelsOf(Method method) {
        boolean isOne = method instanceof Method.Merged || method instanceof Method.Continued || method instanceof Method.Routing;
        return isOne ? 1 : method.models().isEmpty() ? base.names().size() : method.models().size();
    }

    private long tokens(TrainingSpec how) {
        return (long) how.steps() * how.batch() * spec.sequenceLength();
    }

    private double done(Work work) throws IOException {
        if (Stage.isThere(work.folder())) {
            return 1;
        }
        List<JsonNode> steps = steps(work.folder());
        return steps.isEmpty() ? 0 : steps.get(steps.size() - 1).path("step").asDouble() / steps.get(0).path("total_steps").asDouble();
    }

    /** Reads a kind's speed from steps that were done. */
    private void known(Work work) throws IOException {
        if (work.kind().equals(SCORING)) {
            if (Stage.isThere(work.folder()) && !speeds.containsKey(SCORING)) {
                speeds.put(SCORING, work.tokens() * work.models() / Stage.seconds(work.folder()));
            }
            return;
        }
        List<Double> found = steps(work.folder()).stream().map(step -> step.path("tokens_per_second").asDouble()).toList();
        if (found.size() >= LEAST_STEPS) {
            speeds.putIfAbsent(work.kind(), Median.of(found));
        }
    }

    private static List<JsonNode> steps(Path folder) throws IOException {
        Path file = folder.resolve(Training.METRICS);
        List<JsonNode> steps = new ArrayList<>();
        for (String line : Files.exists(file) ? Files.readAllLines(file) : List.<String>of()) {
            if (line.startsWith("{\"kind\":\"step\"") && line.endsWith("}")) { // the last line may be incomplete
                steps.add(JsonReader.STRICT.line(line));
            }
        }
        return steps;
    }

    /** Measures the kinds that are left and have no step yet. */
    private void measure() throws IOException {
        Map<String, Work> unknown = new LinkedHashMap<>();
        for (Work work : works) {
            if (done(work) < 1 && !speeds.containsKey(work.kind())) {
                unknown.putIfAbsent(work.kind(), work);
            }
        }
        if (unknown.isEmpty()) {
            return;
        }
        Path folder = spec.output().resolve(FOLDER);
        FileTree.delete(folder);
        try {
            BaseModels standIns = base.standIns(Files.createDirectories(folder));
            Rehearsal rehearsal = new Rehearsal(spec, texts, standIns, folder);
            standIn(standIns.folder(BaseModels.SEED));
            for (Map.Entry<String, Adapters.One> adapter : Adapters.all(spec).entrySet()) {
                rehearsal.standIn(adapter.getKey(), adapter.getValue().how());
            }
            for (Work work : unknown.values()) {
                System.err.println("Measuring " + work.stage());
                speeds.put(work.kind(), work.speed().tokensPerSecond(rehearsal));
            }
        } finally {
            FileTree.delete(folder);
        }
    }

    private void standIn(Path seed) throws IOException {
        if (spec.model() instanceof Published) {
            try (LlamaModel published = LlamaModel.open(base.folder(BaseModels.PUBLISHED))) {
                published.save(seed);
            }
        } else {
            try (ExpertTraining random = ExpertTraining.fromScratch(base.config(), ((ModelShape) spec.model()).deviation(), 0, Device.cpu())) {
                random.save(seed, spec.tokenizer());
            }
        }
    }
}
