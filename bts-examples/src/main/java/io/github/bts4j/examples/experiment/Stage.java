package io.github.bts4j.examples.experiment;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.FileFormatException;
import io.github.bts4j.core.OutputException;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.FileTree;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.train.ResumeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * One step of an experiment: a folder with its result, and {@code stage.json}, which records everything that the result depends on. An
 * existing stage is not repeated. One that was made from something else is refused, or repeated on request.
 *
 * @param folder folder of its result
 * @param madeFrom everything that its result depends on, as text
 * @param replaces whether a stage that was made from something else is deleted and made again
 */
record Stage(Path folder, String madeFrom, boolean replaces) {
    private static final String FILE = "stage.json";
    private static final String SECONDS = "secondsOfLastRun";

    /** The work of a stage; false if it was interrupted. */
    interface Work {
        boolean run() throws IOException;
    }

    /**
     * Runs the stage unless it exists.
     *
     * @return false if the work was interrupted
     * @throws OutputException if the folder holds a stage that was made from something else and is not to be replaced
     */
    boolean make(Work work) throws IOException {
        if (isMade()) {
            return true;
        }
        Files.createDirectories(folder);
        long begin = System.nanoTime();
        if (!done(work)) {
            return false;
        }
        ObjectNode made = JsonReader.object().put("madeFrom", madeFrom).put(SECONDS, (System.nanoTime() - begin) / 1_000_000_000L)
                .put("java", System.getProperty("java.version")).put("processors", Runtime.getRuntime().availableProcessors());
        AtomicFiles.write(folder.resolve(FILE), made.toPrettyString());
        return true;
    }

    private boolean done(Work work) throws IOException {
        try {
            return work.run();
        } catch (ResumeException e) { // the interrupted training was another one
            if (!replaces) {
                throw e;
            }
            FileTree.delete(folder);
            Files.createDirectories(folder);
            return work.run();
        }
    }

    static boolean isThere(Path folder) {
        return Files.exists(folder.resolve(FILE));
    }

    /** How long the last run of an existing stage took, at least a second. */
    static long seconds(Path folder) throws IOException {
        return Math.max(1, record(folder).path(SECONDS).asLong());
    }

    private static JsonNode record(Path folder) throws IOException {
        return JsonReader.STRICT.object(folder.resolve(FILE), FileFormatException::of);
    }

    /** What an existing stage was made from. */
    static String madeFrom(Path folder) throws IOException {
        return record(folder).path("madeFrom").asText();
    }

    private boolean isMade() throws IOException {
        if (!isThere(folder)) {
            return false;
        }
        String before = madeFrom(folder);
        if (!before.equals(madeFrom)) {
            if (!replaces) {
                throw new OutputException(folder, folder + " was made from other settings or text: restore them, move the folder away, or make it again with --force:\n  then "
                        + before + "\n  now  " + madeFrom);
            }
            FileTree.delete(folder);
            return false;
        }
        return true;
    }
}
