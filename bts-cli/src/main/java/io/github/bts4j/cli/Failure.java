package io.github.bts4j.cli;

import io.github.bts4j.core.Bts4jException;
import io.github.bts4j.core.support.Quoted;
import io.github.bts4j.train.ResumeException;
import io.github.bts4j.train.TrainingDivergedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Maps every exception to one line of text and an exit status. No other class does.
 *
 * @param status the exit status
 * @param message one line, in the command line's terms
 */
record Failure(int status, String message) {
    private static final int SHOWN_LINES = 3;
    private static final int SHOWN_CHARACTERS = 100;

    /** Describes an exception of a command. */
    static Failure of(Throwable failure, CommandSpec command) {
        OptionWords words = new OptionWords(command);
        String message = Quoted.line(words.translate(oneLine(describe(failure, words))));
        boolean called = cause(failure) instanceof IllegalArgumentException && message.startsWith("--");
        return new Failure(called ? ExitCode.USAGE : ExitCode.SOFTWARE, message);
    }

    /** Describes an exception that was thrown before the command was known. */
    static Failure of(Throwable failure) {
        return of(failure, CommandSpec.create());
    }

    private static String describe(Throwable failure, OptionWords words) {
        OutOfMemoryError memory = memory(failure);
        if (memory != null) {
            return memory(memory);
        }
        Throwable cause = cause(failure);
        if (cause instanceof ResumeException resume) {
            return words.resume(resume);
        }
        if (cause instanceof TrainingDivergedException diverged) {
            return words.diverged(diverged);
        }
        if (cause instanceof IOException io) {
            return io(io);
        }
        String message = cause.getMessage();
        boolean expected = cause instanceof Bts4jException || cause instanceof IllegalArgumentException && !(cause instanceof NumberFormatException)
                || cause instanceof IllegalStateException;
        if (expected && message != null) {
            return message;
        }
        String native_ = EngineMessages.of(cause);
        return native_.isEmpty() ? "this is a bug in bts4j; please report it with the output of --debug" + (message == null ? "" : " (" + message.lines().findFirst().orElse("") + ")") : native_;
    }

    /** Unwraps an unchecked exception around an I/O error. */
    private static Throwable cause(Throwable failure) {
        return failure instanceof UncheckedIOException unchecked && (unchecked.getMessage() == null || unchecked.getMessage().equals(unchecked.getCause().toString()))
                ? unchecked.getCause() : failure instanceof UncheckedIOException unchecked ? new IOException(text(unchecked), unchecked) : failure;
    }

    /** Replaces an exception's text at the end of a message by its description. */
    private static String text(UncheckedIOException failure) {
        String inner = failure.getCause().toString();
        return failure.getMessage().replace(inner, io(failure.getCause()));
    }

    private static OutOfMemoryError memory(Throwable failure) {
        for (Throwable each = failure; each != null; each = each.getCause()) {
            if (each instanceof OutOfMemoryError memory) {
                return memory;
            }
        }
        return null;
    }

    private static String memory(OutOfMemoryError failure) {
        String message = String.valueOf(failure.getMessage());
        long heap = Runtime.getRuntime().maxMemory() >> 20;
        return message.contains("native thread") ? "no more threads can be started: the system's limit on processes is reached (ulimit -u)"
                : message.contains("Map failed") ? "a file cannot be mapped into memory: the system's limit on address space is reached (ulimit -v)"
                : "the Java heap of " + heap + " MiB is too small; BTS_HEAP=" + Math.max(2, (2 * heap + 1023) / 1024) + "g, set in the environment, increases it";
    }

    /** The messages of file system exceptions are only a path, or a path and a reason. */
    static String io(IOException failure) {
        String message = failure.getMessage();
        if (failure instanceof NoSuchFileException missing) {
            return missing.getFile() + " does not exist" + (missing.getReason() == null ? "" : ": " + missing.getReason());
        }
        if (failure instanceof java.io.FileNotFoundException) {
            return message.endsWith("(No such file or directory)") ? message.substring(0, message.lastIndexOf(" (")) + " does not exist" : message;
        }
        if (failure instanceof AccessDeniedException denied) {
            return denied.getFile() + ": permission denied; check its owner and permissions";
        }
        if (failure instanceof FileAlreadyExistsException there) {
            return there.getFile() + " exists and is not a folder: give another path";
        }
        if (failure instanceof NotDirectoryException file) {
            return file.getFile() + " is not a folder";
        }
        if (failure instanceof DirectoryNotEmptyException full) {
            return full.getFile() + " is a folder that is not empty";
        }
        if (failure instanceof FileSystemException system) {
            return (system.getOtherFile() == null ? system.getFile() : system.getOtherFile()) + ": " + withFix(String.valueOf(system.getReason()));
        }
        if (failure instanceof CharacterCodingException) {
            return "a text is not UTF-8" + (message == null || message.startsWith("Input length") ? "" : ": " + message);
        }
        return message == null ? "reading or writing failed" : withFix(message);
    }

    private static String withFix(String reason) {
        return reason.endsWith("No space left on device") ? reason + "; free some space, or write elsewhere"
                : reason.endsWith("Is a directory") ? reason.replace("Is a directory", "it is a folder, not a file")
                : reason.endsWith("Not a directory") ? reason.replace("Not a directory", "a part of the path is a file, not a folder")
                : reason.endsWith("Read-only file system") ? reason.replace("Read-only file system", "the file system is read-only; write elsewhere") : reason;
    }

    /** The first lines of a message, joined. */
    static String oneLine(String message) {
        List<String> lines = Arrays.stream(message.split("\\R")).map(String::strip).map(line -> line.replaceFirst("^- ", "")).filter(line -> !line.isEmpty()).toList();
        if (lines.size() < 2) {
            return lines.isEmpty() ? "" : lines.get(0);
        }
        String joined = String.join("; ", lines.subList(1, Math.min(lines.size(), 1 + SHOWN_LINES)));
        String rest = lines.size() > 1 + SHOWN_LINES ? "; and " + (lines.size() - 1 - SHOWN_LINES) + " more (--debug shows them)" : "";
        return lines.get(0) + (lines.get(0).endsWith(":") ? " " : "; ") + joined + rest;
    }

    /** Text from the caller, shortened and without control characters. */
    static String shown(String text) {
        String start = text.length() > SHOWN_CHARACTERS ? text.substring(0, SHOWN_CHARACTERS) + "..." : text;
        return "'" + start.replaceAll("\\p{Cntrl}", "?") + "'";
    }

    /** Prints the line, after the stack trace if requested. */
    static int print(Throwable failure, CommandLine command, RunFile run, boolean trace) {
        Failure told = of(failure, command.getCommandSpec());
        if (trace) {
            failure.printStackTrace(command.getErr());
        }
        command.getErr().println(command.getCommandSpec().qualifiedName() + ": " + run.placed(told.message()));
        command.getErr().flush();
        return told.status();
    }
}
