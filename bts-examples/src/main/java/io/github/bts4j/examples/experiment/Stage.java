package io.github.bts4j.examples.experiment;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * One step of an experiment: a folder with what it made, and {@code stage.json}, which says from what. A stage that is there is not made again, and one that
 * was made from something else is refused, never overwritten.
 *
 * @param folder where its result lies
 * @param madeFrom everything that its result depends on, as text
 */
record Stage(Path folder, String madeFrom) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String FILE = "stage.json";

    /** What makes a stage; false if it was interrupted. */
    interface Work {
        boolean run() throws IOException;
    }

    /**
     * Makes the stage unless it is there.
     *
     * @return false if the work was interrupted
     * @throws IllegalArgumentException if the folder holds a stage that was made from something else
     */
    boolean make(Work work) throws IOException {
        if (isMade()) {
            return true;
        }
        Files.createDirectories(folder);
        long begin = System.nanoTime();
        if (!work.run()) {
            return false;
        }
        ObjectNode made = JSON.createObjectNode().put("madeFrom", madeFrom).put("secondsOfLastRun", (System.nanoTime() - begin) / 1_000_000_000L)
                .put("java", System.getProperty("java.version")).put("processors", Runtime.getRuntime().availableProcessors());
        AtomicFiles.write(folder.resolve(FILE), made.toPrettyString());
        return true;
    }

    static boolean isThere(Path folder) {
        return Files.exists(folder.resolve(FILE));
    }

    /** What a stage that is there was made from. */
    static String madeFrom(Path folder) throws IOException {
        return JSON.readTree(folder.resolve(FILE).toFile()).path("madeFrom").asText();
    }

    private boolean isMade() throws IOException {
        if (!isThere(folder)) {
            return false;
        }
        String before = madeFrom(folder);
        if (!before.equals(madeFrom)) {
            throw new IllegalArgumentException(folder + " was made from other settings or text; move the folder away to make it again, or restore them:\n  then "
                    + before + "\n  now  " + madeFrom);
        }
        return true;
    }
}
