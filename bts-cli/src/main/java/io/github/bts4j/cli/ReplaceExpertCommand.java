package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.eval.WindowScores;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "replace-expert", description = "Put another model, such as an expert that was trained further, into an expert's place. It takes over the expert's stitches; train-stitches --only-expert trains them for it.",
        footer = {"", "Example:", "  bts replace-expert stitched law expert-law-2 renewed --data law=held-out-law.jsonl --data text=held-out-general.jsonl"})
final class ReplaceExpertCommand extends OutputCommand {
    private static final double LEVEL = 0.95;
    private static final int RESAMPLES = 2000;

    @Parameters(paramLabel = "STITCH", description = "A stitch checkpoint's folder.")
    private Path stitch;

    @Parameters(paramLabel = "NAME", description = "The expert's name, which stays.")
    private String name;

    @Parameters(paramLabel = "MODEL", description = "The new model's checkpoint folder, or an adapter's.")
    private Path expert;

    @Parameters(paramLabel = "OUT", description = "Folder for the new stitch checkpoint.")
    private Path out;

    @Option(names = "--data", paramLabel = "DOMAIN=PATH", description = "Held-out text of a domain, on which the model is measured before and after; repeat for each domain.")
    private List<String> heldOut = List.of();

    @Mixin
    private WindowOptions windows;

    @Mixin
    private StitchOutput output;

    private final ObjectNode measured = Outcome.object();
    private final StringBuilder lines = new StringBuilder();

    @Override
    public Integer call() throws IOException {
        if (heldOut.isEmpty()) { // the old expert is not needed
            return output.change(() -> StitchCheckpoint.openReplacing(stitch, name, expert, LoadOptions.defaults()), List.of(stitch, expert), out, this::check, () -> lines, measured);
        }
        return output.change(stitch, List.of(expert), out, this::replace, () -> lines, measured);
    }

    private void check(StitchedModel model) throws IOException {
        Path hub = model.members().get(0).folder();
        Models.requireOneTokenizer("stitched", List.of(hub, expert));
        warn(ChatAgreement.warnings(hub, name, expert));
        Models.requireFinite(model, name);
    }

    private void replace(StitchedModel model) throws IOException {
        Path hub = model.members().get(0).folder();
        DataOptions data = DataOptions.of(heldOut, spec());
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(hub)) {
            WindowOptions.Scorer scorer = windows.scorer(model, tokenizer, data);
            List<TokenDataset> datasets = data.read(tokenizer);
            List<WindowScores> before = new ArrayList<>();
            datasets.forEach(dataset -> before.add(scorer.score(model, dataset)));
            model.replaceExpert(name, expert);
            check(model);
            ObjectNode domains = measured.put("scored", scorer.how()).putObject("domains");
            for (int i = 0; i < before.size(); i++) {
                tell(datasets.get(i).name(), before.get(i), scorer.score(model, datasets.get(i)), domains.putObject(datasets.get(i).name()));
            }
        }
    }

    private void tell(String domain, WindowScores before, WindowScores after, ObjectNode row) {
        double difference = after.bitsPerByte() - before.bitsPerByte();
        row.put("before", before.bitsPerByte()).put("after", after.bitsPerByte()).put("difference", difference);
        String interval = "one item: no interval";
        if (before.nats().length > 1) {
            WindowScores.Interval found = after.minus(before, LEVEL, RESAMPLES, 0).interval();
            row.put("difference_low", found.low()).put("difference_high", found.high());
            interval = String.format(Locale.ROOT, "95 %% %+.4f - %+.4f", found.low(), found.high());
        }
        lines.append(String.format(Locale.ROOT, "%-20s %8.4f -> %.4f bits per byte: %+.4f (%s)%n", domain, before.bitsPerByte(), after.bitsPerByte(), difference, interval));
    }
}
