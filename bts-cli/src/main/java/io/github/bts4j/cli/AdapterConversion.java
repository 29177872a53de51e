package io.github.bts4j.cli;

import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.adapter.AdapterExtraction;
import io.github.bts4j.core.adapter.AdapterWriter;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.AdaptedLlama;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Option;

/** Adapters into full checkpoints, and back; options of {@code convert}. */
final class AdapterConversion {
    private static final LoadOptions WHOLE = LoadOptions.defaults().withWeights(Weights.DEQUANTIZED);
    private static final int USUAL_RANK = 16;

    @Option(names = "--adapter", paramLabel = "DIR", description = "Merge an adapter of MODEL, as PEFT or bts train --lora saved it, and write the full model.")
    private Path adapter;

    @Option(names = "--extract-from", paramLabel = "BASE", description = "Write what MODEL adds to BASE as an adapter of --rank, by truncated singular value decomposition, and print what each tensor loses.")
    private Path base;

    @Option(names = "--rank", paramLabel = "R", description = "Rank of the adapter, with --extract-from (default: 16).")
    @Within(least = 1, most = 65_536)
    private Integer rank;

    @Option(names = "--keep-whole", description = "With --extract-from, keep norms, biases, embeddings and head that differ as they are, instead of leaving them out.")
    private boolean keepWhole;

    boolean isMerge() {
        return adapter != null;
    }

    boolean isExtraction() {
        return base != null;
    }

    /** What is read beside the model. */
    List<Path> inputs(Path model) {
        if (base == null && (rank != null || keepWhole)) {
            throw new IllegalArgumentException((rank != null ? "--rank " + rank : "--keep-whole") + " needs --extract-from BASE");
        }
        if (base != null && adapter != null) {
            throw new IllegalArgumentException("--adapter and --extract-from exclude each other: the one makes a full model, the other an adapter");
        }
        List<Path> inputs = new ArrayList<>(List.of(model));
        if (adapter != null) {
            inputs.add(adapter);
        }
        if (base != null) {
            inputs.add(base);
        }
        return inputs;
    }

    void merge(Path model, Path out, LoadOptions options) throws IOException {
        try (LlamaModel merged = AdaptedLlama.merged(model, adapter, options)) {
            merged.save(out);
        }
        ConvertCommand.copyFiles(model, out);
    }

    /** Writes the adapter, and notes what each tensor loses; the lines for people. */
    String extract(Path model, Path out, ObjectNode result) throws IOException {
        try (LlamaModel expert = LlamaModel.open(model, WHOLE); LlamaModel seed = LlamaModel.open(base, WHOLE); NDManager manager = Torch.manager().newSubManager()) {
            expert.requireFullWeights("written as an adapter");
            seed.requireFullWeights("the base of an adapter");
            AdapterExtraction found = AdapterExtraction.of(manager, expert.tensors(), seed.tensors(), rank == null ? USUAL_RANK : rank, keepWhole);
            AdapterWriter.write(out, found.config().withBase(base.toString()), found.modules(), found.whole());
            StringBuilder lines = new StringBuilder(String.format("%-50s %10s %10s%n", "tensor", "change", "error"));
            for (AdapterExtraction.Part part : found.parts()) {
                result.withObjectProperty("tensors").putObject(part.tensor()).put("change", part.change()).put("error", part.error());
                lines.append(String.format(Locale.ROOT, "%-50s %10.5f %10.5f%s%n", part.tensor(), part.change(), part.error(), part.error() == 1 ? "  left out" : part.error() == 0 ? "  whole" : ""));
            }
            return lines.toString();
        }
    }
}
