package io.github.bts4j.examples.benchmark;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.benchmark.BenchmarkModels;
import io.github.bts4j.train.benchmark.BenchmarkShape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;

/** The benchmark's command line: the peer's options, and a folder for the random models. */
record BenchmarkOptions(BenchmarkShape shape, Precision precision, int experts, int stitches, int batch, int sequence, int steps,
        OptionalInt threads, int newTokens, int rank, Path models, boolean prepare) {
    private static final Map<String, String> DEFAULTS = Map.ofEntries(Map.entry("--shape", "s"), Map.entry("--dtype", "float32"), Map.entry("--experts", "3"),
            Map.entry("--stitches", "4"), Map.entry("--batch", "4"), Map.entry("--seq", "256"), Map.entry("--steps", "8"), Map.entry("--threads", ""),
            Map.entry("--new-tokens", "64"), Map.entry("--rank", "0"), Map.entry("--models", "benchmark-models"));

    static BenchmarkOptions parse(String[] arguments) {
        Map<String, String> values = new TreeMap<>(DEFAULTS);
        boolean prepare = false;
        for (int i = 0; i < arguments.length; i++) {
            if (arguments[i].equals("--prepare")) {
                prepare = true;
            } else if (DEFAULTS.containsKey(arguments[i]) && i + 1 < arguments.length) {
                values.put(arguments[i], arguments[++i]);
            } else {
                throw new IllegalArgumentException("Unknown or incomplete option '" + arguments[i] + "'; the options are " + DEFAULTS.keySet());
            }
        }
        OptionalInt threads = values.get("--threads").isEmpty() ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(values.get("--threads")));
        return new BenchmarkOptions(BenchmarkShape.valueOf(values.get("--shape").toUpperCase(Locale.ROOT)),
                StitchBenchmark.precision(values.get("--dtype")), number(values, "--experts"), number(values, "--stitches"),
                number(values, "--batch"), number(values, "--seq"), number(values, "--steps"), threads, number(values, "--new-tokens"), Integer.parseInt(values.get("--rank")),
                Path.of(values.get("--models")), prepare);
    }

    private static int number(Map<String, String> values, String name) {
        int number = Integer.parseInt(values.get(name));
        if (number < 1) {
            throw new IllegalArgumentException(name + " " + number + " is below 1");
        }
        return number;
    }

    /** The random models. */
    BenchmarkModels weights() {
        return new BenchmarkModels(shape, precision, experts, rank, models);
    }

    Path folder(int model) {
        return weights().model(model);
    }

    /** The last folder that is written. */
    Path last() {
        return weights().expert(experts);
    }

    /** Writes the random models, hub and experts, that are not there yet. */
    void writeModels() throws IOException {
        weights().write();
    }

    /** The stitched model over them, without dropout. */
    StitchedModel openStitched() throws IOException {
        return openStitched(LoadOptions.defaults());
    }

    StitchedModel openStitched(LoadOptions options) throws IOException {
        return weights().open(stitches, options);
    }

    void prepareInAnotherProcess(String[] arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElse("java"), "-cp",
                System.getProperty("java.class.path"), StitchBenchmark.class.getName(), "--prepare"));
        command.addAll(Arrays.asList(arguments));
        int exit = new ProcessBuilder(command).inheritIO().start().waitFor();
        if (exit != 0) {
            throw new IOException("Preparing the random models failed with exit status " + exit);
        }
    }

    ObjectNode describe(ObjectNode node) {
        return node.put("shape", shape.label()).put("dtype", precision.jsonName()).put("experts", experts).put("rank", rank)
                .put("stitches", stitches).put("batch", batch).put("seq", sequence).put("steps", steps).put("threads", Torch.threads())
                .put("new_tokens", newTokens).put("torch", "2.7.1 (DJL 0.36.0)");
    }
}
