package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(name = "branch", description = "Copy a seed, once for each future expert. The command train branches automatically; use branch for copies that are trained elsewhere.",
        footer = {"", "Example:", "  bts branch seed expert-code expert-math"})
final class BranchCommand extends OutputCommand {
    @Parameters(index = "0", paramLabel = "MODEL", description = "The seed: a checkpoint folder or a GGUF file.")
    private Path model;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "OUT", description = "The new folders.")
    private List<Path> outs;

    @Mixin
    private OutputFolder output;

    @Mixin
    private Outcome outcome;

    @Override
    public Integer call() throws IOException {
        ObjectNode result = Outcome.object();
        ArrayNode copies = result.putArray("copies");
        for (Path out : outs) {
            output.check("OUT " + out, out, List.of(model));
        }
        for (Path out : outs) {
            output.write(out, folder -> ConvertCommand.copy(model, folder, LoadOptions.defaults()));
            copies.add(Outcome.made(out));
        }
        outcome.print(outs.stream().map(out -> "Saved a copy of " + model + " to " + out).collect(Collectors.joining(System.lineSeparator())), result);
        return 0;
    }
}
