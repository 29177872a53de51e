package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.adapter.AdapterConfig;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.train.AdapterTraining;
import io.github.bts4j.train.ExpertTraining;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "train", description = "Branch an expert from a model and train all its weights, or an adapter with --lora, on a domain. Run the command again to resume an interrupted run.",
        footer = {"", "Examples:", "  bts train seed --data code=code.jsonl --data text=general.jsonl --weight code=6 --steps 500 --out expert-code", "  bts train seed --data law=law.jsonl --lora rank=16,alpha=32 --out law", "  bts train run.yaml steps=200"})
final class TrainCommand extends OutputCommand {
    @Parameters(paramLabel = "MODEL", description = "The model to branch from.")
    private Path model;

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "Folder for the expert's checkpoint, or for the adapter.")
    private Path out;

    @Mixin
    private DataOptions data;

    @Mixin
    private TrainingOptions training;

    @Mixin
    private SeedOptions models;

    @Mixin
    private OutputFolder output;

    @Option(names = "--freeze-embeddings", description = "Freeze the embeddings, the final norm and the head: a stitched model uses the hub's for all experts.")
    private boolean freezeEmbeddings;

    @Option(names = "--mixed-precision", description = "Compute in bfloat16 from the float32 weights, which stay float32, as gradients' sums and moments do: faster where the processor has bfloat16 products.")
    private boolean mixedPrecision;

    @Mixin
    private LoraOption lora;

    @Mixin
    private Outcome outcome;

    @Override
    public Integer call() throws IOException {
        Optional<AdapterConfig> adapter = lora.config();
        if (adapter.isPresent() && freezeEmbeddings) {
            throw new IllegalArgumentException("--freeze-embeddings is for the training of all weights: an adapter leaves the embeddings, the final norm and the head as they are");
        }
        if (adapter.isPresent() && mixedPrecision) {
            throw new IllegalArgumentException("--mixed-precision is for the training of all weights: an adapter computes in the base's type, which --dtype bfloat16 sets");
        }
        training.checkFolders(out, output, List.of(model));
        return adapter.isPresent() ? trainAdapter(adapter.get().withBase(model.toString())) : trainAll();
    }

    private Integer trainAdapter(AdapterConfig config) throws IOException {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(model);
                LlamaModel base = LlamaModel.open(model, models.options());
                AdapterTraining adapter = AdapterTraining.start(base, config, training.seed()).withCheckpointing(training.checkpointing())) {
            training.documentMask(tokenizer, data).ifPresent(adapter::withDocumentMask);
            training.checkContext(base.contextLength());
            Optional<ObjectNode> trained = training.train(adapter, data.read(tokenizer), tokenizer, () -> 2e-4, UnaryOperator.identity(), training.runFolder(out), output.isForced());
            if (trained.isPresent()) {
                output.write(out, folder -> {
                    adapter.save(folder);
                    data.writeTemplate(folder);
                });
                RunProduct.record(training.runFolder(out), out);
                outcome.print("Saved the adapter to " + out, Outcome.made(out).setAll(trained.get()));
            }
            return 0;
        }
    }

    private Integer trainAll() throws IOException {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(model);
                LlamaModel seed = LlamaModel.open(model, models.options());
                ExpertTraining expert = ExpertTraining.branch(seed).withCheckpointing(training.checkpointing())) {
            training.documentMask(tokenizer, data).ifPresent(expert::withDocumentMask);
            training.checkContext(seed.contextLength());
            if (freezeEmbeddings) {
                expert.withFrozenEmbeddings();
            }
            if (mixedPrecision) {
                expert.withMixedPrecision();
            }
            Optional<ObjectNode> trained = training.train(expert, data.read(tokenizer), tokenizer, () -> 1e-4, UnaryOperator.identity(), training.runFolder(out),
                    output.isForced());
            if (trained.isPresent()) {
                output.write(out, folder -> {
                    expert.save(folder, model);
                    ConvertCommand.copyFiles(model, folder);
                    data.writeTemplate(folder);
                });
                RunProduct.record(training.runFolder(out), out);
                outcome.print("Saved the expert to " + out, Outcome.made(out).setAll(trained.get()));
            }
            return 0;
        }
    }
}
