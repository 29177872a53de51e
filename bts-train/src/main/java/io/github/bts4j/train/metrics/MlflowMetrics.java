package io.github.bts4j.train.metrics;

import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.support.Hashes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes a run into an MLflow file store, the folder that {@code mlflow ui --backend-store-uri} and MLflow's clients read: {@code EXPERIMENT/RUN/metrics/NAME} with a line of time in milliseconds,
 * value and step for each measurement. Names are those of {@link TensorBoardWriter}, but {@code loss_by_domain/NAME} for a domain's loss, since a file cannot be a folder too. Messages, histograms and measurements by tensor are not written.
 *
 * <p>The ids of experiment and run follow from their names, so that a resumed run continues its own files; measurements after the checkpoint are removed. Not thread-safe.
 */
public final class MlflowMetrics implements MetricsListener {
    private static final String META = "meta.yaml";
    private static final int RUNNING = 1;
    private static final int FINISHED = 3;
    private static final int ID_DIGITS = 32;
    private static final Pattern START = Pattern.compile("(?m)^start_time: (\\d+)$");

    private final Path folder;
    private final String experimentId;
    private final String name;
    private final long lastStep;
    private final long start;
    private final InstantSource clock;
    private final Map<String, RowLog> files = new LinkedHashMap<>();

    private MlflowMetrics(Path store, String experiment, String name, long lastStep, InstantSource clock) throws IOException {
        this.clock = clock;
        this.name = name;
        this.lastStep = lastStep;
        this.experimentId = String.valueOf(Long.parseUnsignedLong(Hashes.sha256(experiment).substring(0, 15), 16));
        String id = Hashes.sha256(experiment + "\n" + name).substring(0, ID_DIGITS);
        this.folder = store.resolve(experimentId).resolve(id);
        for (String part : new String[] {"metrics", "params", "tags", "artifacts"}) {
            Files.createDirectories(folder.resolve(part));
        }
        writeExperiment(store.resolve(experimentId), experiment);
        this.start = lastStep > 0 && Files.exists(folder.resolve(META)) ? startOf(folder.resolve(META)) : clock.millis();
        AtomicFiles.write(folder.resolve("tags/mlflow.runName"), name);
        writeMeta(RUNNING, "null");
        if (Files.exists(folder.resolve("metrics"))) {
            resumeAll();
        }
    }

    /**
     * Continues a run in a store, or starts it.
     *
     * @param store the store's folder, which is made
     * @param experiment name of the experiment
     * @param name name of the run in it
     * @param lastStep the last step to keep, that of the checkpoint; 0 starts again
     * @return the listener; the caller closes it
     * @throws UncheckedIOException if the store cannot be read or written
     * @throws IllegalArgumentException if a file of the run is damaged
     */
    public static MlflowMetrics resume(Path store, String experiment, String name, long lastStep) {
        return resume(store, experiment, name, lastStep, InstantSource.system());
    }

    /** The same with a given clock. */
    static MlflowMetrics resume(Path store, String experiment, String name, long lastStep, InstantSource clock) {
        try {
            return new MlflowMetrics(store, experiment, name, lastStep, clock);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot write the MLflow store " + store + ": " + e, e);
        }
    }

    /**
     * The run's folder.
     *
     * @return its path in the store
     */
    public Path folder() {
        return folder;
    }

    private void writeExperiment(Path path, String experiment) throws IOException {
        if (!Files.exists(path.resolve(META))) {
            AtomicFiles.write(path.resolve(META), "artifact_location: " + quoted(path.toUri().toString().replaceFirst("/$", "")) + "\ncreation_time: " + clock.millis() + "\nexperiment_id: '" + experimentId
                    + "'\nlast_update_time: " + clock.millis() + "\nlifecycle_stage: active\nname: " + quoted(experiment) + "\n");
        }
    }

    private static long startOf(Path meta) throws IOException {
        Matcher matcher = START.matcher(Files.readString(meta));
        if (!matcher.find()) {
            throw new IllegalArgumentException(meta + " has no start_time: remove the folder of the run");
        }
        return Long.parseLong(matcher.group(1));
    }

    private void writeMeta(int status, String end) throws IOException {
        String id = folder.getFileName().toString();
        AtomicFiles.write(folder.resolve(META), "artifact_uri: " + quoted(folder.resolve("artifacts").toUri().toString().replaceFirst("/$", "")) + "\nend_time: " + end + "\nentry_point_name: ''\nexperiment_id: '"
                + experimentId + "'\nlifecycle_stage: active\nrun_id: " + id + "\nrun_name: " + quoted(name) + "\nrun_uuid: " + id
                + "\nsource_name: ''\nsource_type: 4\nsource_version: ''\nstart_time: " + start + "\nstatus: " + status + "\ntags: []\nuser_id: ''\n");
    }

    /** A YAML text in single quotes. */
    private static String quoted(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    private void resumeAll() throws IOException {
        Path metrics = folder.resolve("metrics");
        try (var all = Files.walk(metrics)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                log(metrics.relativize(file).toString().replace('\\', '/'));
            }
        }
    }

    private RowLog log(String metric) {
        return files.computeIfAbsent(metric, key -> RowLog.resume(folder.resolve("metrics").resolve(key), lastStep, (line, row) -> step(row)));
    }

    private static long step(String row) {
        String[] parts = row.split(" ");
        if (parts.length != 3 || !parts[2].matches("\\d{1,18}")) {
            throw new IllegalArgumentException("'" + row + "' is not a time, a value and a step");
        }
        return Long.parseLong(parts[2]);
    }

    private void put(String metric, double value, long step) {
        log(metric).append(clock.millis() + " " + value + " " + step);
    }

    /** MLflow allows letters, digits, and some signs. */
    private static String clean(String metric) {
        return metric.replaceAll("[^\\p{Alnum}_. /-]", "_").replace("..", "_");
    }

    private void put(String prefix, Map<String, Double> values, long step) {
        values.forEach((key, value) -> put(clean(prefix + key), value, step));
    }

    @Override
    public void onStep(StepMetrics metrics) {
        long step = metrics.step();
        put("train/loss", metrics.loss(), step);
        put("train/grad_norm", metrics.gradNorm(), step);
        put("train/learning_rate", metrics.learningRate(), step);
        put("train/tokens_seen", metrics.tokensSeen(), step);
        put("train/tokens_per_second", metrics.tokensPerSecond(), step);
        put("train/loss_by_domain/", metrics.lossByDomain(), step);
        put("train/", metrics.extra(), step);
    }

    @Override
    public void onEvaluation(EvaluationMetrics metrics) {
        put("eval/loss", metrics.loss(), metrics.step());
        put("eval/loss_by_domain/", metrics.lossByDomain(), metrics.step());
        put("eval/bits_per_byte/", metrics.bitsPerByteByDomain(), metrics.step());
        put("eval/", metrics.extra(), metrics.step());
    }

    @Override
    public void close() {
        files.values().forEach(RowLog::close);
        files.clear();
        try {
            writeMeta(FINISHED, String.valueOf(clock.millis()));
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot write " + folder.resolve(META) + ": " + e, e);
        }
    }
}
