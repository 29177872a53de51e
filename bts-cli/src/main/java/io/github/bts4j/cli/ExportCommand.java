package io.github.bts4j.cli;

import io.github.bts4j.core.OutputException;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import io.github.bts4j.core.torch.llama.GgufExport;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Weights;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.stitch.export.TransformersExport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "export", description = "Write a model for other software: a stitched model as a checkpoint with Python code that Hugging Face transformers loads, any other model as a GGUF file for llama.cpp.",
        footer = {"", "Examples:", "  bts export stitched stitched-hf", "  bts export soup soup.gguf --gguf q8_0"})
final class ExportCommand extends OutputCommand {
    /** Types of a GGUF file's matrices. */
    private enum Matrices { F32, F16, Q8_0, Q4_0 }

    @Parameters(paramLabel = "MODEL", description = "The folder of a stitched model, or of a checkpoint such as a soup or an expert.")
    private Path model;

    @Parameters(paramLabel = "OUT", description = "The new folder, or the GGUF file.")
    private Path out;

    @Option(names = "--gguf", paramLabel = "TYPE", description = "Write a GGUF file with matrices of this type: f32, f16, q8_0 or q4_0.")
    private Matrices gguf;

    @Option(names = "--dtype", paramLabel = "TYPE", description = "Type of a stitched model's frozen weights: float32, bfloat16 or float16 (default: the hub's).")
    private String dtype;

    @Mixin
    private OutputFolder output;

    @Mixin
    private Outcome outcome;

    @Override
    public Integer call() throws IOException {
        boolean stitched = Models.isStitched(model);
        if (stitched == (gguf != null)) {
            throw new UnsupportedException(stitched ? "--gguf " + gguf.name().toLowerCase(Locale.ROOT) + ": llama.cpp has no stitched models; export " + model + " without --gguf, for transformers"
                    : model + " is not a stitched model: transformers loads it as it is; --gguf f16, q8_0 or q4_0 writes it for llama.cpp");
        }
        return stitched ? exportStitched() : exportGguf();
    }

    private int exportStitched() throws IOException {
        output.check("OUT " + out, out, List.of(model));
        try (StitchedModel opened = StitchCheckpoint.open(model, FrozenOptions.precision(dtype, LoadOptions.defaults().withWeights(Weights.DEQUANTIZED)))) {
            output.check("OUT " + out, out, Models.folders(opened));
            output.write(out, folder -> {
                TransformersExport.write(opened, folder);
                ConvertCommand.copyFiles(opened.members().get(0).folder(), folder);
            });
            outcome.print("Exported a stitched model of " + opened.members().size() + " models to " + out, Outcome.made(out, opened));
        }
        return 0;
    }

    private int exportGguf() throws IOException {
        if (Checkpoint.isGguf(model)) {
            throw new UnsupportedException(model + " is a GGUF file: convert it to a folder first, with bts convert");
        }
        if (Files.isDirectory(out) || Files.exists(out) && !output.isForced()) {
            throw new OutputException(out, "OUT " + out + (Files.isDirectory(out) ? " is a folder: give the name of a file" : " exists: give another name, or --force to replace it"));
        }
        Path parent = out.toAbsolutePath().normalize().getParent();
        Files.createDirectories(parent);
        GgufExport.write(model, out.toAbsolutePath(), GgmlType.valueOf(gguf.name()));
        outcome.print("Wrote " + out, Outcome.object().put("out", out.toString()).put("bytes", Files.size(out)));
        return 0;
    }
}
