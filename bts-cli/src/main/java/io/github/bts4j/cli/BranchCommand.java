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
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "branch", description = "Copy a seed, once for each future expert; or, with --train, branch experts and train them all, several at once with --master. Run the command again to resume.",
        footer = {"", "Examples:", "  bts branch seed expert-code expert-math",
            "  bts branch seed experts --train code=code:6,text --data code=code.jsonl --data text=general.jsonl"})
final class BranchCommand extends OutputCommand {
    @Parameters(index = "0", paramLabel = "MODEL", description = "The seed: a checkpoint folder or a GGUF file.")
    private Path model;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "OUT", description = "The new folders; with --train the folder of the experts' folders.")
    private List<Path> outs;

    @Option(names = "--train", paramLabel = "NAME=MIX", description = "An expert to train in OUT/NAME: its domains, separated by commas, each with a relative weight after a colon (default: 1); repeat for each expert.")
    private List<String> experts = List.of();

    @Option(names = "--data", paramLabel = "DOMAIN=PATH", description = TextOptions.DATA + " With --train.")
    private List<String> data = List.of();

    @Mixin
    private BranchOptions training;

    @Mixin
    private OutputFolder output;

    @Mixin
    private Outcome outcome;

    @Override
    public Integer call() throws IOException {
        if (!experts.isEmpty()) {
            if (outs.size() > 1) {
                throw new IllegalArgumentException("--train with OUT " + outs.get(0) + " and " + outs.get(1) + ": the experts go into one folder, each under its name; give one");
            }
            training.train(model, outs.get(0), experts, data, output.isForced(), outcome);
            return 0;
        }
        training.refuseGiven(spec(), "needs --train: copies are not trained");
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
