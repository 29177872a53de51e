package io.github.bts4j.cli;

import io.github.bts4j.train.ResumeChange;
import io.github.bts4j.train.ResumeException;
import io.github.bts4j.train.RunDifference;
import io.github.bts4j.train.TrainingDivergedException;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;

/** Options by the names that the library's messages use. */
record OptionWords(CommandSpec command) {
    private static final int SHOWN_HASH = 12;
    /** Names that differ from the option's in more than spelling. */
    private static final Map<String, String> NAMES = Map.ofEntries(Map.entry("maxNewTokens", "--max-tokens"), Map.entry("totalSteps", "--steps"),
            Map.entry("microBatch", "--batch"), Map.entry("batchSize", "--batch"), Map.entry("maxBatchSize", "--max-batch"), Map.entry("sequenceLength", "--sequence"),
            Map.entry("maxGradNorm", "--clip"), Map.entry("checkpointEvery", "--save-every"), Map.entry("keepCheckpoints", "--keep"), Map.entry("learningRate", "--lr"),
            Map.entry("learningRate.peak", "--lr"), Map.entry("learningRate.warmupSteps", "--warmup"), Map.entry("learningRate.totalSteps", "--steps"), Map.entry("warmupSteps", "--warmup"),
            Map.entry("optimizer.weightDecay", "--weight-decay"), Map.entry("safeguards.every", "--measure-every"), Map.entry("numStitches", "--stitches"),
            Map.entry("validation.every", "--validate-every"), Map.entry("validation.patience", "--patience"), Map.entry("validation.windows", "--hold-out"), Map.entry("validation", "--hold-out"),
            Map.entry("stitch.dropout", "--dropout"), Map.entry("maxBodyBytes", "the server's limit on the size of a request"), Map.entry("requestTimeout", "--timeout"));
    /** A name before its value, or a name that messages use without one. */
    private static final Pattern NAME = Pattern.compile("(?<![\\w/.'-])([a-z][a-z0-9]*(?:[A-Z][A-Za-z0-9]*)+)(?= = | is |=)|(?<![\\w/.'-])(maxBadLines|maxNewTokens|checkpointEvery|keepCheckpoints)(?![\\w/'-]|\\.\\w)");
    private static final Pattern RECORD = Pattern.compile("^(?:[A-Z][a-z]+){2,}: (?=\\S)");

    /** Replaces the names in a message of the library by those of options, or of {@code config.json} if there is no such option. */
    String translate(String message) {
        Matcher name = NAME.matcher(RECORD.matcher(message).replaceFirst(""));
        return name.replaceAll(found -> Matcher.quoteReplacement(option(found.group())));
    }

    private String option(String name) {
        String kebab = "--" + name.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
        return NAMES.containsKey(name) ? NAMES.get(name) : command.findOption(kebab) != null ? kebab : kebab.substring(2).replace('-', '_');
    }

    /** Describes why a run cannot be resumed, and which option allows it. */
    String resume(ResumeException failure) {
        Set<String> differences = new LinkedHashSet<>();
        Set<String> changes = new LinkedHashSet<>();
        boolean fixed = false;
        for (RunDifference difference : failure.differences()) {
            differences.add(difference(difference));
            List<String> allowed = Arrays.stream(ResumeChange.values()).filter(change -> difference.isAllowedBy(Set.of(change))).map(change -> change.name().toLowerCase(Locale.ROOT)).toList();
            changes.addAll(allowed);
            fixed |= allowed.isEmpty();
        }
        return "the run in " + failure.checkpoint().getParent() + " differs: " + String.join(", ", differences) + "; "
                + (fixed ? "" : "--allow-change " + String.join(",", changes) + " resumes it anyway; ") + "--run or --out with another folder starts a new one";
    }

    /** Describes a value that has changed since the run was saved. */
    String resumed(RunDifference difference) {
        return difference.part().equals(RunDifference.DATA) ? "Resumed with different data" : "Resumed with " + difference(difference);
    }

    private String difference(RunDifference difference) {
        if (difference.part().equals(RunDifference.DATA)) {
            return "the data";
        }
        String name = difference.part().equals(RunDifference.CONFIGURATION) ? NAMES.getOrDefault(difference.name(), option(difference.name()))
                : (difference.part() + " " + difference.name()).strip();
        return NAMES.getOrDefault(name, name) + ": saved " + value(difference.saved()) + ", now " + value(difference.now());
    }

    private static String value(String value) {
        return value.matches("[0-9a-f]{64}") ? value.substring(0, SHOWN_HASH) + ".." : value;
    }

    /** Describes a training that diverged, with the options that help. */
    String diverged(TrainingDivergedException failure) {
        String message = failure.getMessage();
        return message.replaceFirst("Lower the learning rate.*", "lower --lr, raise --warmup, or lower --clip");
    }
}
