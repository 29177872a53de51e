package io.github.bts4j.spark;

import io.github.bts4j.core.TrainingException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.Callable;
import org.apache.spark.SparkEnv;

/** A failure of a task, described on the machine where it happened: its cause may be of a class that the driver does not have. */
final class ExecutorFailure extends TrainingException {
    private static final long serialVersionUID = 1L;

    private ExecutorFailure(String message) {
        super(message);
    }

    /** Runs a task's work. */
    static <T> T describing(Callable<T> work) {
        try {
            return work.call();
        } catch (ExecutorFailure e) {
            throw e;
        } catch (Exception e) {
            throw described(text(e), e);
        } catch (LinkageError e) { // a native library, which is unpacked into a temporary folder first
            throw described("A class or native library cannot be loaded: " + text(root(e)) + "; restart the executor when this is mended", e);
        }
    }

    private static ExecutorFailure described(String text, Throwable cause) {
        ExecutorFailure failure = new ExecutorFailure(text.strip().replaceAll("\\s*\\R[\\s-]*", "; ").replace(":; ", ": ") + place());
        failure.setStackTrace(cause.getStackTrace());
        return failure;
    }

    private static Throwable root(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root;
    }

    private static String text(Throwable e) {
        if (e instanceof NoSuchFileException missing) {
            return missing.getFile() + " does not exist" + (missing.getReason() == null ? "" : ": " + missing.getReason());
        }
        String message = e.getMessage() == null ? "" : e.getMessage();
        return e instanceof IOException || e instanceof Error || message.isEmpty() ? e.getClass().getSimpleName() + ": " + message : message;
    }

    private static String place() {
        SparkEnv env = SparkEnv.get();
        return env == null ? "" : " (executor " + env.executorId() + " on " + env.blockManager().blockManagerId().host() + ")";
    }

    /** What the driver throws for a failed job: one line, of the task if it has left one. */
    static RuntimeException of(Exception failure) {
        for (Throwable each = failure; each != null; each = each.getCause()) {
            if (each instanceof ExecutorFailure) {
                return new TrainingException(each.getMessage(), failure);
            }
        }
        if (failure instanceof RuntimeException own) {
            return own;
        }
        String line = String.valueOf(failure.getMessage()).lines().findFirst().orElse("");
        String fix = line.contains("ExecutorLostFailure") ? "; a process that is killed for its memory needs a larger spark.executor.memoryOverhead" : "";
        return new TrainingException("Spark gave up: " + line + fix, failure);
    }
}
