package io.github.bts4j.train.benchmark;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.support.JsonReader;
import java.util.List;
import java.util.Locale;

/**
 * The figures of a machine, as a table in Markdown or as JSON.
 *
 * @param settings what was measured
 * @param machine where
 * @param limits what the machine reached, for each element type
 * @param rows the measurements
 * @param loadBefore {@link Machine#load} at the beginning
 * @param loadAfter the same at the end
 * @param seconds time that all of it took
 */
public record MachineReport(BenchmarkSettings settings, Machine machine, List<Limits> limits, List<BenchmarkRow> rows, double loadBefore, double loadAfter, double seconds) {
    /**
     * The machine's limits, medians over all measurements of them.
     *
     * @param type element type
     * @param memory bytes per second
     * @param product operations per second; of weights in fewer bits, in the type that is computed in
     */
    public record Limits(String type, double memory, double product) {}

    /**
     * Copies the lists.
     *
     * @param settings what was measured
     * @param machine where
     * @param limits what the machine reached, for each element type
     * @param rows the measurements
     * @param loadBefore {@link Machine#load} at the beginning
     * @param loadAfter the same at the end
     * @param seconds time that all of it took
     */
    public MachineReport {
        limits = List.copyOf(limits);
        rows = List.copyOf(rows);
    }

    /**
     * The report as people paste it into issues.
     *
     * @param version name and version of the program
     * @return lines, with tables in Markdown
     */
    public String text(String version) {
        StringBuilder text = new StringBuilder(String.format(Locale.ROOT, "%s on %s", version, machine.text()));
        LlamaConfig config = settings.shape().config();
        text.append(String.format(Locale.ROOT, "shape %s: %.1f million parameters, %d layers of %d; %d experts, %d stitch layers; training %d x %d tokens, prompts of %d, %d sessions together%n",
                settings.shape().label(), LlamaTensors.parameterCount(config) / 1e6, config.numLayers(), config.hiddenSize(), settings.experts(), settings.stitches(), settings.batch(),
                settings.sequence(), settings.prompt(), MachineBenchmark.SESSIONS));
        text.append(String.format(Locale.ROOT, "load average %s before, %s after; %.0f seconds%n%n", load(loadBefore), load(loadAfter), seconds));
        text.append("| type | memory, GB/s | product, GFLOP/s |").append(System.lineSeparator()).append("|---|---|---|").append(System.lineSeparator());
        limits.forEach(each -> text.append(String.format(Locale.ROOT, "| %s | %s | %s |%n", each.type, BenchmarkRow.number(each.memory / 1e9), BenchmarkRow.number(each.product / 1e9))));
        text.append(System.lineSeparator()).append(BenchmarkRow.HEAD.replace("\n", System.lineSeparator()));
        rows.forEach(row -> text.append(row.text()));
        return text.toString();
    }

    private static String load(double load) {
        return load < 0 ? "unknown" : String.format(Locale.ROOT, "%.1f", load);
    }

    /**
     * The same as one object.
     *
     * @param version name and version of the program
     * @return {@code version}, {@code machine}, {@code settings}, {@code limits}, {@code rows}, {@code load_before}, {@code load_after} and {@code seconds}
     */
    public ObjectNode json(String version) {
        ObjectNode json = JsonReader.object().put("version", version);
        json.set("machine", machine.json());
        ObjectNode what = json.putObject("settings").put("shape", settings.shape().label()).put("parameters", LlamaTensors.parameterCount(settings.shape().config()))
                .put("experts", settings.experts()).put("stitches", settings.stitches()).put("batch", settings.batch()).put("sequence", settings.sequence()).put("prompt", settings.prompt())
                .put("sessions", MachineBenchmark.SESSIONS);
        settings.types().forEach(type -> what.withArray("types").add(MachineBenchmark.label(type)));
        limits.forEach(each -> json.withArray("limits").addObject().put("type", each.type).put("memory_bytes_per_second", each.memory).put("product_flops", each.product));
        rows.forEach(row -> json.withArray("rows").addObject().put("type", row.type()).put("model", row.model()).put("measured", row.task()).put("tokens_per_second", row.tokensPerSecond())
                .put("tokens_per_second_lower_quartile", row.slow()).put("tokens_per_second_upper_quartile", row.fast()).put("limit", row.limit()).put("share", row.share())
                .put("measurements", row.measurements()));
        return json.put("load_before", loadBefore).put("load_after", loadAfter).put("seconds", seconds);
    }
}
