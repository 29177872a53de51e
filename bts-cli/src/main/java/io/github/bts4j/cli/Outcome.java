package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.stitch.Member;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Prints what a command has written: a sentence or, with {@code --json}, one object. */
final class Outcome {
    @Option(names = "--json", description = "Print one JSON object that describes the result.")
    private boolean json;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    private final long begin = System.nanoTime();

    boolean isJson() {
        return json;
    }

    static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    /** A folder that was written, with the size of its files in bytes. */
    static ObjectNode made(Path out) throws IOException {
        try (Stream<Path> files = Files.list(out)) {
            long bytes = 0;
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                bytes += Files.size(file);
            }
            return object().put("out", out.toString()).put("bytes", bytes);
        }
    }

    /** The folder of a stitched model, with its models' names and the number of parameters of its stitch layers. */
    static ObjectNode made(Path out, StitchedModel model) throws IOException {
        ObjectNode result = made(out);
        model.members().stream().map(Member::name).forEach(result.putArray("models")::add);
        return result.put("stitch_parameters", model.config().parameterCount(model.numExperts(), model.hiddenSize()));
    }

    /** Prints the sentence, or the result with the seconds that it took. */
    void print(String sentence, ObjectNode result) {
        PrintWriter out = command.commandLine().getOut();
        out.println(json ? result.put("seconds", Math.round((System.nanoTime() - begin) / 1e6) / 1e3).toString() : sentence);
    }
}
