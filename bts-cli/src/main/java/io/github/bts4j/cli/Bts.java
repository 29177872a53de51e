package io.github.bts4j.cli;

import io.github.bts4j.core.Bts4jException;
import io.github.bts4j.core.hub.HubSettings;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The command line. */
@Command(name = "bts", mixinStandardHelpOptions = true, version = "bts4j 0.1.0", scope = ScopeType.INHERIT, sortOptions = false, usageHelpAutoWidth = true,
        description = "Branch-Train-Stitch for the JVM: make one generalist from a seed model and its experts.",
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {"0:done", "1:failed because of a file, a model, the data, the disk or the machine; the message says which and why", "2:wrong usage; the message names the option, or file, line and key", "130, 143:ended by Ctrl-C or SIGTERM; a training has saved a checkpoint"},
        footer = {"", "A model in four steps:",
            "  bts train seed --data code=code.jsonl --steps 500 --out expert-code     # a copy of the seed, trained on code",
            "  bts stitch seed --expert code=expert-code --data code=code.jsonl --data text=general.jsonl --out stitched",
            "  bts eval stitched --data code=held-out-code.jsonl",
            "  bts serve stitched", "",
            "bts COMMAND --help shows examples. Options of a training can be read from a YAML file: bts stitch run.yaml steps=200"},
        subcommands = {QuickStartCommand.class, BranchCommand.class, TrainCommand.class, StitchCommand.class, TrainStitchesCommand.class, EvalCommand.class, TokenizeCommand.class, GenerateCommand.class, ChatCommand.class, ServeCommand.class,
            GatesCommand.class, InspectCommand.class, PlanCommand.class, AddExpertCommand.class, RemoveExpertCommand.class, ReplaceExpertCommand.class, CombineCommand.class, MergeCommand.class, ExperimentCommand.class, ConvertCommand.class, ExportCommand.class, RunsCommand.class, BenchCommand.class, CardCommand.class, SchemaCommand.class})
public final class Bts implements Callable<Integer> {
    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Print the stack trace of an error, like -Dbts4j.trace=true in BTS_JAVA_OPTIONS.")
    @SuppressWarnings("UnusedVariable")
    private boolean debug; // read from the raw arguments, because errors in them are reported too

    @Option(names = "--download", scope = ScopeType.INHERIT, description = "Fetch models hf:OWNER/NAME[@REVISION] from the Hugging Face Hub into its cache. Without it, only the cache is read.")
    @SuppressWarnings("UnusedVariable")
    private boolean download; // read from the raw arguments, because paths are found before they are parsed

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    private Bts() {}

    /**
     * Runs a command and ends the process.
     *
     * @param arguments the command's name and its options; {@code --help} shows them
     */
    @SuppressWarnings("DefaultCharset") // the terminal's
    public static void main(String[] arguments) {
        System.exit(run(arguments, new PrintWriter(System.out, true), new PrintWriter(System.err, true)));
    }

    /** Runs a command and returns its exit status. */
    static int run(String[] arguments, PrintWriter out, PrintWriter err) {
        CommandLine line = line(out, err);
        RunFile run = new RunFile(arguments, "", Map.of());
        try {
            run = StoreArguments.resolve(HubArguments.resolve(RunFile.expand(arguments, line), HubSettings::ofEnvironment, err), line);
            return written(execute(run, line), line);
        } catch (IllegalArgumentException e) {
            err.println("bts: " + Failure.of(e).message());
            return CommandLine.ExitCode.USAGE;
        } catch (IOException | Bts4jException e) { // of the Hub
            return Failure.print(e, line.getSubcommands().getOrDefault(arguments[0], line), run, traced(arguments));
        } catch (Error e) { // such as out of memory: picocli does not handle errors
            CommandLine command = line.getSubcommands().getOrDefault(arguments.length == 0 ? "" : arguments[0], line);
            return Failure.print(e, command, run, traced(arguments));
        }
    }

    /** Runs a command; errors name the line of the run file, if there is one. */
    static int execute(RunFile run, CommandLine line) {
        line.setParameterExceptionHandler((failure, arguments) -> {
            if (traced(arguments)) {
                failure.printStackTrace(line.getErr());
            }
            line.getErr().println(WrongCall.line(failure, run));
            return CommandLine.ExitCode.USAGE;
        });
        line.setExecutionExceptionHandler((failure, command, parsed) -> Failure.print(failure, command, run, traced(run.arguments())));
        line.setExecutionStrategy(parsed -> {
            OptionRanges.check(parsed);
            return new CommandLine.RunLast().execute(parsed);
        });
        return line.execute(run.arguments());
    }

    /** A command whose output could not be written, for example to a full disk, has failed. */
    private static int written(int status, CommandLine line) {
        line.getOut().flush();
        if (status != CommandLine.ExitCode.OK || !line.getOut().checkError()) {
            return status;
        }
        line.getErr().println("bts: standard output cannot be written to: is the disk full, or has the reader ended?");
        return CommandLine.ExitCode.SOFTWARE;
    }

    private static boolean traced(String[] arguments) {
        return Boolean.getBoolean("bts4j.trace") || Arrays.asList(arguments).contains("--debug");
    }

    static CommandLine line(PrintWriter out, PrintWriter err) {
        CommandLine line = new CommandLine(new Bts()).setOut(out).setErr(err).setOverwrittenOptionsAllowed(true).setCaseInsensitiveEnumValuesAllowed(true);
        line.setUsageHelpWidth(120);
        line.getSubcommands().values().forEach(command -> command.getCommandSpec().usageMessage().abbreviateSynopsis(true));
        return line;
    }

    @Override
    public Integer call() {
        spec.commandLine().usage(spec.commandLine().getOut());
        return CommandLine.ExitCode.USAGE;
    }
}
