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
            ExecutorFailure failure = new ExecutorFailure(text(e) + place());
            failure.setStackTrace(e.getStackTrace());
            throw failure;
        }
    }

    private static String text(Exception e) {
        if (e instanceof NoSuchFileException missing) {
            return missing.getFile() + " does not exist" + (missing.getReason() == null ? "" : ": " + missing.getReason());
        }
        String message = e.getMessage() == null ? "" : e.getMessage();
        return e instanceof IOException || message.isEmpty() ? e.getClass().getSimpleName() + ": " + message : message;
    }

    private static String place() {
        SparkEnv env = SparkEnv.get();
        return env == null ? "" : " (executor " + env.executorId() + " on " + env.rpcEnv().address().host() + ")";
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
