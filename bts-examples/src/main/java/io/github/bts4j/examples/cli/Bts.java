package io.github.bts4j.examples.cli;

import io.github.bts4j.core.Bts4jException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command line. */
@Command(name = "bts", mixinStandardHelpOptions = true, version = "bts4j 0.1.0", scope = ScopeType.INHERIT, sortOptions = false, usageHelpAutoWidth = true,
        description = "Branch-Train-Stitch for the JVM: make one generalist of a seed model and its experts.",
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {"0:done", "1:failed; the message says why", "2:called wrongly; the message names the option, or file, line and key", "130, 143:ended by Ctrl-C or SIGTERM; a training has saved"},
        footer = {"", "A run in four steps:",
            "  bts train seed --data code=code.jsonl --steps 500 --out expert-code     # a copy of the seed, trained on code",
            "  bts stitch seed --expert code=expert-code --data code=code.jsonl --data text=general.jsonl --out stitched",
            "  bts eval stitched --data code=held-out-code.jsonl",
            "  bts serve stitched", "",
            "bts COMMAND --help has examples of each; options of a training may come from a YAML file: bts stitch run.yaml steps=200"},
        subcommands = {QuickStartCommand.class, BranchCommand.class, TrainCommand.class, StitchCommand.class, TrainStitchesCommand.class, EvalCommand.class, GenerateCommand.class, ChatCommand.class, ServeCommand.class,
            GatesCommand.class, InspectCommand.class, PlanCommand.class, AddExpertCommand.class, RemoveExpertCommand.class, MergeCommand.class, ExperimentCommand.class, ConvertCommand.class, SchemaCommand.class})
public final class Bts implements Callable<Integer> {
    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Show where in the program an error arose.")
    private boolean debug;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    private Bts() {}

    /**
     * Runs a command and ends the process.
     *
     * @param arguments the command's name and its options; {@code --help} shows them
     */
    public static void main(String[] arguments) {
        System.exit(run(arguments, new PrintWriter(System.out, true), new PrintWriter(System.err, true)));
    }

    /** Runs a command and gives its exit status. */
    static int run(String[] arguments, PrintWriter out, PrintWriter err) {
        CommandLine line = line(out, err);
        try {
            return execute(RunFile.expand(arguments, line), line);
        } catch (IllegalArgumentException e) {
            err.println("bts: " + e.getMessage());
            return CommandLine.ExitCode.USAGE;
        }
    }

    /** Runs a command; what is wrong is told with its place in the run file, if there is one. */
    static int execute(RunFile run, CommandLine line) {
        line.setParameterExceptionHandler((failure, arguments) -> wronglyCalled(failure, run));
        line.setExecutionExceptionHandler((failure, command, parsed) -> ((Bts) line.getCommand()).failed(failure, command, run));
        return line.execute(run.arguments());
    }

    static CommandLine line(PrintWriter out, PrintWriter err) {
        CommandLine line = new CommandLine(new Bts()).setOut(out).setErr(err).setOverwrittenOptionsAllowed(true).setCaseInsensitiveEnumValuesAllowed(true);
        line.setUsageHelpWidth(120);
        line.getSubcommands().values().forEach(command -> command.getCommandSpec().usageMessage().abbreviateSynopsis(true));
        return line;
    }

    private static int wronglyCalled(ParameterException failure, RunFile run) {
        String message = failure instanceof MissingParameterException missing ? run.missing(missing.getMissing(), failure.getMessage())
                : failure.getArgSpec() == null ? failure.getMessage() : run.placed(failure.getArgSpec(), failure.getMessage());
        CommandLine command = failure.getCommandLine();
        command.getErr().println(command.getCommandSpec().qualifiedName() + ": " + message);
        UnmatchedArgumentException.printSuggestions(failure, command.getErr());
        command.getErr().println("Try '" + command.getCommandSpec().qualifiedName() + " --help'");
        return CommandLine.ExitCode.USAGE;
    }

    private int failed(Exception failure, CommandLine command, RunFile run) throws Exception {
        boolean expected = failure instanceof IOException || failure instanceof UncheckedIOException || failure instanceof IllegalArgumentException
                || failure instanceof IllegalStateException || failure instanceof Bts4jException;
        if (debug || !expected) {
            throw failure;
        }
        String message = describe(failure);
        command.getErr().println("bts " + command.getCommandName() + ": " + run.placed(message));
        return failure instanceof IllegalArgumentException && message.startsWith("--") ? CommandLine.ExitCode.USAGE : CommandLine.ExitCode.SOFTWARE;
    }

    /** File system exceptions say no more than a path. */
    private static String describe(Exception failure) {
        if (failure instanceof java.nio.file.NoSuchFileException) {
            return failure.getMessage() + " does not exist";
        }
        return failure.getMessage() == null ? failure.toString() : failure instanceof java.nio.file.FileSystemException ? failure.toString() : failure.getMessage();
    }

    @Override
    public Integer call() {
        spec.commandLine().usage(spec.commandLine().getOut());
        return CommandLine.ExitCode.USAGE;
    }
}
