package io.github.bts4j.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** A command that prints to the command line's output. It declares no options: inherited ones would come first in the help. */
abstract class OutputCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    CommandSpec spec() {
        return spec;
    }

    PrintWriter output() {
        return spec.commandLine().getOut();
    }

    /** Prints lines that are not errors. */
    void warn(List<String> warnings) {
        warnings.forEach(warning -> spec.commandLine().getErr().println("Warning: " + warning));
    }
}
