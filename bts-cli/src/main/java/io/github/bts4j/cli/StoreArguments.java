package io.github.bts4j.cli;

import io.github.bts4j.train.cluster.Cluster;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Models and texts of a store in a command's arguments, {@code hdfs://host/models/seed}: they are copied to this machine, and the copy's path takes the address's place. */
final class StoreArguments {
    /** A whole argument, or what follows an equals sign. */
    private static final Pattern ADDRESS = Pattern.compile("((?:[^=]*=)*)((?:hdfs|viewfs|s3a|gs|abfss?|ofs|o3fs)://[^=\\s]+)");

    /** What is read, and nothing is written to. */
    private static final Set<String> INPUTS = Set.of("--data", "--expert", "--against", "--prompts", "--chat-template");

    private StoreArguments() {}

    /** How an address becomes a path. */
    interface Store {
        Path local(String address) throws IOException;
    }

    static RunFile resolve(RunFile run, CommandLine bts) throws IOException {
        return resolve(run, bts, Cluster::local);
    }

    /**
     * Replaces addresses by paths.
     *
     * @param run the arguments
     * @param bts the commands
     * @param store where the copies are
     * @return the arguments with paths
     * @throws IOException if something does not exist, or cannot be read or copied
     * @throws IllegalArgumentException for an address that a command would write to
     */
    static RunFile resolve(RunFile run, CommandLine bts, Store store) throws IOException {
        String[] arguments = run.arguments().clone();
        if (arguments.length == 0 || !bts.getSubcommands().containsKey(arguments[0])) {
            return run;
        }
        CommandSpec command = bts.getSubcommands().get(arguments[0]).getCommandSpec();
        int positional = -1;
        for (int i = 1; i < arguments.length; i++) {
            String option = option(arguments, i, command);
            positional += option.isEmpty() ? 1 : 0;
            Matcher matcher = ADDRESS.matcher(arguments[i]);
            if (matcher.matches() && isRead(option, positional, matcher.group(2), command)) {
                arguments[i] = matcher.group(1) + store.local(matcher.group(2));
            }
        }
        return Arrays.equals(arguments, run.arguments()) ? run : new RunFile(arguments, run.file(), run.values());
    }

    private static boolean isRead(String option, int positional, String address, CommandSpec command) {
        if (INPUTS.contains(option)) {
            return true;
        }
        Optional<? extends ArgSpec> argument = option.isEmpty() ? command.positionalParameters().stream().filter(each -> each.index().contains(positional)).findFirst() : Optional.ofNullable(command.findOption(option));
        if (argument.isEmpty() || argument.get().auxiliaryTypes()[0] != Path.class) {
            return false; // a text, for example
        }
        if (!option.isEmpty() || positional > 0) {
            throw new IllegalArgumentException((option.isEmpty() ? "" : option + " ") + address + ": only models and texts are read from a store; what is written needs a path on a file system that all machines mount");
        }
        return true;
    }

    /** The option that an argument belongs to; empty for none. */
    private static String option(String[] arguments, int i, CommandSpec command) {
        if (arguments[i].startsWith("-")) {
            return arguments[i].replaceFirst("=.*", "");
        }
        OptionSpec before = arguments[i - 1].startsWith("-") ? command.findOption(arguments[i - 1]) : null; // which finds names without dashes, too
        return before == null || before.arity().max() == 0 ? "" : arguments[i - 1];
    }
}
