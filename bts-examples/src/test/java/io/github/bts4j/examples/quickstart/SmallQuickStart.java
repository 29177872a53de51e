package io.github.bts4j.examples.quickstart;

import java.io.IOException;
import java.nio.file.Path;

/** The quick start with a handful of steps and windows: the same phases, files and texts in seconds. Not for instances. */
public final class SmallQuickStart {
    private SmallQuickStart() {}

    /**
     * Runs it.
     *
     * @param folder where models, metrics and the report go
     * @param seed random seed
     * @throws IOException if a file cannot be read or written
     */
    public static void run(Path folder, long seed) throws IOException {
        new QuickStart(folder, new Recipe(seed, 20, 4, 6, 12), System.out).run();
    }
}
