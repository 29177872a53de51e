package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.llama.LlamaModel;
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

@Command(name = "train", description = "Branch an expert from a model and train all its weights on a domain. An interrupted run goes on when it is called again.",
        footer = {"", "Examples:", "  bts train seed --data code=code.jsonl --data text=general.jsonl --weight code=6 --steps 500 --out expert-code", "  bts train run.yaml steps=200"})
final class TrainCommand extends OutputCommand {
    @Parameters(paramLabel = "MODEL", description = "The model to branch from.")
    private Path model;

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "Folder for the expert's checkpoint.")
    private Path out;

    @Mixin
    private DataOptions data;

    @Mixin
    private TrainingOptions training;

    @Mixin
    private SeedOptions models;

    @Mixin
    private OutputFolder output;

    @Option(names = "--freeze-embeddings", description = "Keep the embeddings, the final norm and the head: a stitched model reads all experts with the hub's.")
    private boolean freezeEmbeddings;

    @Mixin
    private Outcome outcome;

    @Override
    public Integer call() throws IOException {
        training.checkFolders(out, output, List.of(model));
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(model);
                LlamaModel seed = LlamaModel.open(model, models.options());
                ExpertTraining expert = ExpertTraining.branch(seed).withCheckpointing(training.checkpointing())) {
            training.documentMask(tokenizer, data).ifPresent(expert::withDocumentMask);
            training.checkContext(seed.contextLength());
            if (freezeEmbeddings) {
                expert.withFrozenEmbeddings();
            }
            Optional<ObjectNode> trained = training.train(expert, data.read(tokenizer), tokenizer, () -> 1e-4, UnaryOperator.identity(), training.runFolder(out),
                    output.isForced());
            if (trained.isPresent()) {
                output.write(out, folder -> {
                    expert.save(folder, model);
                    ConvertCommand.copyFiles(model, folder);
                });
                RunProduct.remember(training.runFolder(out), out);
                outcome.print("Saved the expert to " + out, Outcome.made(out).setAll(trained.get()));
            }
            return 0;
        }
    }
}
