package io.github.bts4j.examples.experiment;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.GatedLm;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.GateSummary;
import io.github.bts4j.train.data.Window;
import io.github.bts4j.train.eval.EvaluationResults;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The scores of every row, in files: each row is scored once. */
final class Scores {
    /** The folder of all scores, in the output. */
    static final String RESULTS = "results";

    private static final int GATE_WINDOWS = 16;

    private final ExperimentSpec spec;
    private final Scoring scoring;
    private final BaseModels base;
    private final boolean replaces;

    Scores(ExperimentSpec spec, Scoring scoring, BaseModels base, boolean replaces) {
        this.replaces = replaces;
        this.spec = spec;
        this.scoring = scoring;
        this.base = base;
    }

    /** Scores the seed or an expert, or on text alone an adapter. */
    boolean scoreBase(String name) throws IOException {
        boolean withTasks = base.names().contains(name) || name.equals(BaseModels.PUBLISHED);
        return stage(name, "model of " + base.fingerprint() + base.fingerprint(List.of(name)), withTasks).make(() -> {
            try (LlamaModel model = base.open(List.of(name), base.frozen()).get(0)) {
                write(name, model, withTasks);
            }
            return true;
        });
    }

    /** Scores a method's row. */
    boolean score(Methods.Made row, boolean withTasks) throws IOException {
        return stage(row.title(), Stage.madeFrom(row.folder()), withTasks).make(() -> {
            try (Opened opened = row.method().open(base, row.folder())) {
                write(row.title(), opened.model(), withTasks);
            }
            return true;
        });
    }

    private Stage stage(String title, String madeFrom, boolean withTasks) {
        return new Stage(folder(spec, title), madeFrom + "; scored by " + scoring.identity(withTasks), replaces);
    }

    /** The folder of a row's scores. */
    static Path folder(ExperimentSpec spec, String title) {
        return spec.output().resolve(RESULTS).resolve(Methods.slug(title));
    }

    private void write(String title, CausalLm model, boolean withTasks) throws IOException {
        System.err.println("Scoring " + title);
        Scoring.Scored scored = scoring.score(title, model, withTasks);
        scored.results().write(folder(spec, title).resolve("results.json"));
        AtomicFiles.write(folder(spec, title).resolve("positions.json"), JsonReader.tree(scored.positions()).toString());
        if (model.gated().isPresent()) {
            AtomicFiles.write(folder(spec, title).resolve("gates.json"), gates(model.gated().get()).toPrettyString());
        }
    }

    private ArrayNode gates(GatedLm model) {
        List<String> names = model.modelNames();
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        for (Map.Entry<String, List<Window>> domain : scoring.windows().entrySet()) {
            List<int[]> windows = domain.getValue().stream().limit(GATE_WINDOWS).map(Window::unpadded).toList();
            for (GateSummary summary : GateSummary.of(model, windows)) {
                ObjectNode row = all.addObject().put("domain", domain.getKey()).put("stitch", summary.stitch() + 1);
                for (int i = 0; i < names.size(); i++) {
                    row.withObject("/shares").put(names.get(i), summary.shares().get(i));
                }
                row.put("entropy_bits", summary.entropy());
            }
        }
        return all;
    }

    /** The results of all rows that were scored, in the order of the titles. */
    EvaluationResults read(List<String> titles) throws IOException {
        EvaluationResults results = EvaluationResults.EMPTY;
        for (String title : titles) {
            Path file = folder(spec, title).resolve("results.json");
            if (Files.exists(file)) {
                results = results.plus(EvaluationResults.read(file));
            }
        }
        return results;
    }
}
