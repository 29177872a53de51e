package io.github.bts4j.train.metrics;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * One row per optimizer step in a CSV file (RFC 4180, UTF-8, LF), with a fixed header: {@code step, total_steps, loss,
 * grad_norm, learning_rate, tokens_seen, tokens_per_second}, then {@code loss/<domain>} and the extra names that were
 * announced. A missing number is an empty field. Evaluations and messages are not in this file:
 * {@link JsonLinesMetrics} has them.
 */
public final class CsvMetrics implements MetricsListener {

    private static final List<String> FIXED = List.of("step", "total_steps", "loss", "grad_norm", "learning_rate",
            "tokens_seen", "tokens_per_second");

    private final List<String> domains;
    private final List<String> extras;
    private final RowLog rows;

    private CsvMetrics(List<String> domains, List<String> extras, RowLog rows) {
        this.domains = domains;
        this.extras = extras;
        this.rows = rows;
    }

    /**
     * Starts a file for a new run.
     *
     * @param path the file; its folder is made
     * @param domains names of the domains that steps may report losses of
     * @param extras names of the extra numbers that steps may report
     * @return the listener; the caller closes it
     * @throws IllegalArgumentException if the file has content, or a name is given twice or contains a line break
     * @throws java.io.UncheckedIOException if the file cannot be made
     */
    public static CsvMetrics create(Path path, List<String> domains, List<String> extras) {
        String header = header(domains, extras);
        RowLog rows = RowLog.create(path);
        rows.append(header);
        return new CsvMetrics(List.copyOf(domains), List.copyOf(extras), rows);
    }

    /**
     * Continues the file of an earlier run: removes the rows after a step and an incomplete row. A file that does not exist,
     * or has no complete header, is started.
     *
     * @param path the file
     * @param domains names of the domains, as the run started with
     * @param extras names of the extra numbers, as the run started with
     * @param lastStep the last step to keep, that of the checkpoint; 0 keeps none
     * @return the listener; the caller closes it
     * @throws IllegalArgumentException if the header differs, a row is damaged, or {@code lastStep} is negative
     * @throws java.io.UncheckedIOException if the file cannot be read or written
     */
    public static CsvMetrics resume(Path path, List<String> domains, List<String> extras, long lastStep) {
        String header = header(domains, extras);
        RowLog rows = RowLog.resume(path, lastStep, (line, row) -> line == 1 ? checkHeader(header, row) : step(row));
        if (rows.isEmpty()) {
            rows.append(header);
        }
        return new CsvMetrics(List.copyOf(domains), List.copyOf(extras), rows);
    }

    @Override
    public void onStep(StepMetrics metrics) {
        refuseUnknown("lossByDomain", metrics.lossByDomain(), domains);
        refuseUnknown("extra", metrics.extra(), extras);
        List<String> fields = new ArrayList<>(List.of(
                Long.toString(metrics.step()), Long.toString(metrics.totalSteps()),
                Double.toString(metrics.loss()), Double.toString(metrics.gradNorm()),
                Double.toString(metrics.learningRate()), Long.toString(metrics.tokensSeen()),
                Double.toString(metrics.tokensPerSecond())));
        domains.forEach(domain -> fields.add(field(metrics.lossByDomain(), domain)));
        extras.forEach(name -> fields.add(field(metrics.extra(), name)));
        rows.append(String.join(",", fields));
    }

    @Override
    public void close() {
        rows.close();
    }

    private static String field(Map<String, Double> values, String name) {
        return values.containsKey(name) ? Double.toString(values.get(name)) : "";
    }

    private static void refuseUnknown(String map, Map<String, Double> values, List<String> announced) {
        for (String name : values.keySet()) {
            if (!announced.contains(name)) {
                throw new IllegalArgumentException(map + " has '" + name + "', the CSV file has columns for "
                        + announced + ": announce it when the file is opened");
            }
        }
    }

    private static String header(List<String> domains, List<String> extras) {
        List<String> names = new ArrayList<>(FIXED);
        domains.forEach(domain -> names.add("loss/" + domain));
        names.addAll(extras);
        Set<String> seen = new HashSet<>();
        for (String name : names) {
            if (!seen.add(name)) {
                throw new IllegalArgumentException("CSV column '" + name + "' is named twice");
            }
            if (name.contains("\n") || name.contains("\r")) {
                throw new IllegalArgumentException("CSV column '" + name + "' contains a line break");
            }
        }
        return names.stream().map(CsvMetrics::quoted).collect(Collectors.joining(","));
    }

    private static String quoted(String name) {
        boolean plain = !name.contains(",") && !name.contains("\"");
        return plain ? name : "\"" + name.replace("\"", "\"\"") + "\"";
    }

    private static long checkHeader(String expected, String found) {
        if (!found.equals(expected)) {
            throw new IllegalArgumentException("header is '" + found + "', this run writes '" + expected
                    + "': resume with the same domains and extra names, or start a new file");
        }
        return Long.MIN_VALUE;
    }

    private static long step(String row) {
        int comma = row.indexOf(',');
        try {
            return Long.parseLong(row.substring(0, Math.max(0, comma)));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + row + "' does not begin with a step number", e);
        }
    }
}
