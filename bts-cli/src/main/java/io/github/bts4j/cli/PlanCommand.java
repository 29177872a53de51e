package io.github.bts4j.cli;

import io.github.bts4j.core.adapter.Adapter;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.train.PlannedModel;
import io.github.bts4j.train.StoredBlocks;
import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.TrainingPlan;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "plan", description = "Show what training stitch layers needs: parameters, memory and operations, and what decoding reads. Reads configurations and adapters' headers only.",
        footer = {"", "Examples:", "  bts plan seed expert-code expert-math --stitches 4 --batch 4 --sequence 256", "  bts plan seed law expert-code"})
final class PlanCommand extends OutputCommand {
    private static final int USUAL_SEQUENCE = 256;

    @Parameters(paramLabel = "MODEL", arity = "2..*", description = "The hub and its experts: folders with a config.json, GGUF files, or adapters of the hub.")
    private List<Path> models;

    @Option(names = "--stitches", defaultValue = "4", paramLabel = "K", description = "Stitch layers (default: ${DEFAULT-VALUE}).")
    @Within(least = 1, most = 10_000)
    private int stitches;

    @Option(names = "--batch", paramLabel = "N", defaultValue = "4", description = "Sequences per pass (default: ${DEFAULT-VALUE}).")
    @Within(least = 1, most = 65_536)
    private int batch;

    @Option(names = "--sequence", paramLabel = "N", description = "Tokens per sequence (default: 256, or the models' context if that is shorter).")
    @Within(least = 1, most = 1_048_576)
    private Integer sequence;

    @Option(names = "--dtype", paramLabel = "TYPE", description = "Type to compute in: float32, bfloat16 or float16 (default: the hub's).")
    private String dtype;

    @Option(names = "--checkpointing", defaultValue = "off", description = "Activations to recompute: off, partial or full (default: ${DEFAULT-VALUE}).")
    private ActivationCheckpointing checkpointing;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        List<LlamaConfig> configs = new ArrayList<>();
        List<PlannedModel> planned = new ArrayList<>();
        boolean adapted = models.stream().skip(1).anyMatch(Adapter::isAdapter);
        for (Path model : models) {
            boolean adapter = !configs.isEmpty() && Adapter.isAdapter(model);
            configs.add(adapter ? configs.get(0) : LlamaConfig.read(model));
            boolean kept = Checkpoint.isGguf(model) && !(adapted && configs.size() == 1); // a hub with adapters is dequantised
            planned.add(adapter ? PlannedModel.of(configs.get(0), Adapter.open(model, LlamaTensors.shapes(configs.get(0))))
                    : PlannedModel.full(configs.get(configs.size() - 1), kept ? StoredBlocks.of(model) : StoredBlocks.NONE));
        }
        int context = configs.stream().mapToInt(LlamaConfig::contextLength).min().orElseThrow();
        int length = sequence == null ? Math.min(USUAL_SEQUENCE, context) : sequence;
        WindowOptions.check("--sequence", length, context);
        Precision precision = dtype == null ? configs.get(0).dtype() : Precision.named(dtype)
                .orElseThrow(() -> new IllegalArgumentException("--dtype " + dtype + " must be one of float32, bfloat16, float16"));
        TrainingPlan plan = TrainingPlan.ofModels(planned, precision, StitchConfig.evenly(configs.get(0).numLayers(), stitches),
                TrainerConfig.of(1, batch, length, new LearningRate.Constant(1e-3)), checkpointing);
        output().print(json ? JsonReader.tree(plan) + System.lineSeparator() : plan.text());
        output().flush();
        return 0;
    }
}
