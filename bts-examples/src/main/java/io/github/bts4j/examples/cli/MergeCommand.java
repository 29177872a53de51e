package io.github.bts4j.examples.cli;

import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.llama.LlamaModel;
import io.github.bts4j.stitch.baseline.ModelMerge;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "merge", description = "Merge models of one shape into one without training, as mergekit does: to compare a stitched model with.",
        footer = {"", "Examples:", "  bts merge linear --model expert-code --model expert-math --out soup", "  bts merge ties --base seed --model expert-code=0.5 --model expert-math=0.5 --out ties"})
final class MergeCommand extends OutputCommand {
    private enum Method { LINEAR, TASK_ARITHMETIC, TIES, DARE_LINEAR, DARE_TIES, SLERP }

    @Parameters(paramLabel = "METHOD", description = "linear, task_arithmetic, ties, dare_linear, dare_ties or slerp.")
    private Method method;

    @Option(names = "--model", paramLabel = "DIR=WEIGHT", required = true, description = "A model and its weight (default 1); repeat for every model.")
    private List<String> models;

    @Option(names = "--base", paramLabel = "DIR", description = "The seed, for all methods but linear.")
    private Path base;

    @Option(names = "--density", defaultValue = "0.5", description = "Share of the differences that ties and dare keep (default: ${DEFAULT-VALUE}).")
    private double density;

    @Option(names = "--t", defaultValue = "0.5", description = "Where slerp stands between base (0) and model (1) (default: ${DEFAULT-VALUE}).")
    private double t;

    @Option(names = "--seed", defaultValue = "0", description = "Random seed of dare (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "Folder for the merged checkpoint, in float32.")
    private Path out;

    @Mixin
    private Models options;

    @Mixin
    private Outcome outcome;

    @Override
    public Integer call() throws IOException {
        if (base == null && method != Method.LINEAR) {
            throw new IllegalArgumentException(method + " needs --base, the seed that the models were branched from");
        }
        List<LlamaModel> opened = new ArrayList<>();
        double[] weights = new double[models.size()];
        Path first = null;
        try {
            for (int i = 0; i < weights.length; i++) {
                int at = models.get(i).lastIndexOf('=');
                Path folder = Path.of(at < 0 ? models.get(i) : models.get(i).substring(0, at));
                weights[i] = at < 0 ? 1 : Double.parseDouble(models.get(i).substring(at + 1));
                opened.add(LlamaModel.open(folder, options.options()));
                first = first == null ? folder : first;
            }
            LlamaModel seedModel = base == null ? opened.get(0) : LlamaModel.open(base, options.options());
            if (base != null) {
                opened.add(seedModel);
            }
            try (LlamaModel merged = merge(seedModel, opened.subList(0, weights.length), weights)) {
                merged.save(out);
            }
            for (String name : ConvertCommand.TOKENIZER_FILES) {
                Path file = (base == null ? first : base).resolve(name);
                if (Files.exists(file)) {
                    AtomicFiles.write(out.resolve(name), Files.readAllBytes(file));
                }
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
                    throw new IllegalArgumentException("slerp mixes --base with one --model, not with " + parts.size());
                }
                yield ModelMerge.slerp(seedModel, parts.get(0), t);
            }
        };
    }
}
