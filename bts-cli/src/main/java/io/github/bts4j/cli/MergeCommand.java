package io.github.bts4j.cli;

import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Weights;
import io.github.bts4j.stitch.baseline.ModelMerge;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "merge", description = "Merge models of the same shape without training, as mergekit does: a baseline for a stitched model.",
        footer = {"", "Examples:", "  bts merge linear --model expert-code --model expert-math --out soup", "  bts merge ties --base seed --model expert-code=0.5 --model expert-math=0.5 --out ties"})
final class MergeCommand extends OutputCommand {
    private enum Method { LINEAR, TASK_ARITHMETIC, TIES, DARE_LINEAR, DARE_TIES, SLERP }

    @Parameters(paramLabel = "METHOD", description = "linear, task_arithmetic, ties, dare_linear, dare_ties or slerp.")
    private Method method;

    @Option(names = "--model", paramLabel = "DIR=WEIGHT", required = true, description = "A model and its weight (default 1); repeat for each model.")
    private List<String> models;

    @Option(names = "--base", paramLabel = "DIR", description = "The seed, for all methods but linear.")
    private Path base;

    @Option(names = "--density", paramLabel = "X", defaultValue = "0.5", description = "Share of the differences that ties and dare keep (default: ${DEFAULT-VALUE}).")
    @Within(least = 0, above = true, most = 1)
    private double density;

    @Option(names = "--t", paramLabel = "X", defaultValue = "0.5", description = "Interpolation of slerp between base (0) and model (1) (default: ${DEFAULT-VALUE}).")
    @Within(least = 0, most = 1)
    private double t;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0", description = "Random seed of dare (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "Folder for the merged checkpoint, in float32.")
    private Path out;

    @Mixin
    private OutputFolder output;

    @Mixin
    private Outcome outcome;

    /** A model and its weight. */
    private record Part(Path folder, double weight) {
        static Part of(String text) {
            int at = text.lastIndexOf('=');
            if (at < 0) {
                return new Part(Path.of(text), 1);
            }
            return new Part(Path.of(text.substring(0, at)), Models.number("--model", text, text.substring(at + 1)));
        }
    }

    @Override
    public Integer call() throws IOException {
        if (base == null && method != Method.LINEAR) {
            throw new IllegalArgumentException(method + " needs --base, the seed that the models were branched from");
        }
        List<Part> parts = models.stream().map(Part::of).toList();
        List<Path> folders = new ArrayList<>(parts.stream().map(Part::folder).toList());
        if (base != null) {
            folders.add(0, base);
        }
        output.check("--out " + out, out, folders);
        Models.requireOneTokenizer("merged", folders);
        List<LlamaModel> opened = new ArrayList<>();
        try {
            for (Path folder : folders) {
                opened.add(LlamaModel.open(folder, LoadOptions.defaults().withWeights(Weights.DEQUANTIZED)));
            }
            List<LlamaModel> merged = base == null ? opened : opened.subList(1, opened.size());
            try (LlamaModel model = merge(opened.get(0), merged, parts.stream().mapToDouble(Part::weight).toArray())) {
                output.write(out, folder -> {
                    model.save(folder);
                    ConvertCommand.copyFiles(folders.get(0), folder);
                });
            }
        } finally {
            opened.forEach(LlamaModel::close);
        }
        outcome.print("Saved the merged model to " + out, Outcome.made(out).put("method", method.name().toLowerCase(java.util.Locale.ROOT)));
        return 0;
    }

    private LlamaModel merge(LlamaModel seedModel, List<LlamaModel> parts, double[] weights) {
        return switch (method) {
            case LINEAR -> ModelMerge.linear(parts, weights);
            case TASK_ARITHMETIC -> ModelMerge.taskArithmetic(seedModel, parts, weights);
            case TIES -> ModelMerge.ties(seedModel, parts, density, weights);
            case DARE_LINEAR -> ModelMerge.dareLinear(seedModel, parts, density, seed, weights);
            case DARE_TIES -> ModelMerge.dareTies(seedModel, parts, density, seed, weights);
            case SLERP -> {
                if (parts.size() != 1) {
                    throw new IllegalArgumentException("slerp needs --base and exactly one --model, not " + parts.size());
                }
                yield ModelMerge.slerp(seedModel, parts.get(0), t);
            }
        };
    }
}
