package io.github.bts4j.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** A command that prints to where the command line prints. Its options are its own, mixins too: inherited ones would stand before them in the help. */
abstract class OutputCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    CommandSpec spec() {
        return spec;
    }

    PrintWriter output() {
        return spec.commandLine().getOut();
    }
}
