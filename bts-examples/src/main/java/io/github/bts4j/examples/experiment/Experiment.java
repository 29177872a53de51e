package io.github.bts4j.examples.experiment;

import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.train.cluster.Cluster;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;

/**
 * Runs what an experiment's file describes. Existing stages are skipped; an interrupted training is resumed. Several processes may run one
 * experiment at once, and share its stages.
 */
public final class Experiment {
    private static final String LOCKS = "locks";

    private final Path file;
    private final ExperimentSpec spec;
    private final boolean replaces;

    private Experiment(Path file, ExperimentSpec spec, boolean replaces) {
        this.file = file;
        this.spec = spec;
        this.replaces = replaces;
    }

    /**
     * Reads an experiment's description.
     *
     * @param file YAML or JSON
     * @return the experiment
     * @throws IOException if the file cannot be read
     * @throws IllegalArgumentException naming file, line and key of everything that is wrong
     */
    public static Experiment read(Path file) throws IOException {
        return new Experiment(file, ExperimentSpec.read(file), false);
    }

    /**
     * The same experiment, which repeats stages that were made from other settings or text instead of refusing to continue.
     *
     * @return a new experiment
     */
    public Experiment replacingOthers() {
        return new Experiment(file, spec, true);
    }

    /**
     * The output folder.
     *
     * @return the folder, which holds {@code results.md} and {@code report.html} at the end
     */
    public Path output() {
        return spec.output();
    }

    /**
     * Runs all remaining stages.
     *
     * @return false if the process was stopped before the end
     * @throws IOException if a file cannot be read or written
     * @throws io.github.bts4j.core.OutputException if a stage was made from other settings or text
     */
    public boolean run() throws IOException {
        return run(new Turns(spec.output().resolve(LOCKS)));
    }

    /**
     * Runs all remaining stages on a cluster, each as one task, with the results of one process. The experiment's file, its texts and its output folder are on a file system
     * that all machines mount.
     *
     * @param there the cluster
     * @return false if a task was stopped before its end
     * @throws IOException if a file cannot be read or written
     * @throws io.github.bts4j.core.TrainingException in one line, if a task has failed as often as the cluster allows
     */
    public boolean run(Cluster there) throws IOException {
        StageTask task = new StageTask(file.toAbsolutePath().toString(), replaces);
        return run(new Turns(spec.output().resolve(LOCKS), pieces -> {
            List<String> ready = new ArrayList<>();
            for (Turns.Piece piece : pieces) {
                if (piece.ready().isReady()) {
                    ready.add(piece.name());
                }
            }
            System.err.println("On the cluster: " + String.join(", ", ready));
            Iterator<Turns.Outcome> outcomes = ready.isEmpty() ? Collections.emptyIterator() : there.each(ready, task).iterator();
            return pieces.stream().map(piece -> ready.contains(piece.name()) ? outcomes.next() : Turns.Outcome.LATER).toList();
        }));
    }

    /**
     * How long what is left takes on this machine. Reads the published model and the texts, as {@link #run()} does first, and measures what has no steps yet.
     *
     * @return the plan
     * @throws IOException if a file cannot be read or written
     */
    public Plan plan() throws IOException {
        try (Workshop workshop = Workshop.open(spec, replaces)) {
            return workshop.plan();
        }
    }

    private boolean run(Turns turns) throws IOException {
        try (Workshop workshop = Workshop.open(spec, replaces)) {
            for (List<Turns.Piece> pieces : workshop.pieces()) {
                if (!turns.all(pieces)) {
                    return false;
                }
            }
            workshop.writeResults();
            return true;
        }
    }

    /** One piece, in a task: with the texts that the first process has encoded. */
    private record StageTask(String file, boolean replaces) implements Cluster.Task<String, Turns.Outcome> {
        @Override
        public Turns.Outcome of(String name, Cluster.Place place) throws IOException {
            Torch.threads(place.threads());
            ExperimentSpec spec = ExperimentSpec.read(place.find(file));
            try (Workshop workshop = Workshop.open(spec, replaces)) {
                Turns.Piece piece = workshop.pieces().stream().flatMap(List::stream).filter(each -> each.name().equals(name)).findFirst()
                        .orElseThrow(() -> new IllegalArgumentException(file + " has no stage '" + name + "': was it changed meanwhile?"));
                return new Turns(spec.output().resolve(LOCKS)).attempt(piece);
            }
        }
    }
}
