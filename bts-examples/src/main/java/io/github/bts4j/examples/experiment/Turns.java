package io.github.bts4j.examples.experiment;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** Divides an experiment between processes: each works on a different stage. */
final class Turns {
    private static final long WAIT_MILLIS = 1000;

    private final Path folder;

    /** Checks whether a piece of work can begin. */
    interface Ready {
        boolean isReady() throws IOException;
    }

    /**
     * One piece of work.
     *
     * @param name its name, different from that of all others
     * @param ready whether everything that it needs exists
     * @param work the work, which does nothing if another process has done it
     */
    record Piece(String name, Ready ready, Stage.Work work) {}

    /** Uses lock files in a folder. */
    Turns(Path folder) {
        this.folder = folder;
    }

    /** Does all pieces, or waits until other processes have done them; false as soon as a piece was interrupted. */
    boolean all(List<Piece> pieces) throws IOException {
        Files.createDirectories(folder);
        List<Piece> left = new ArrayList<>(pieces);
        while (!left.isEmpty()) {
            int before = left.size();
            for (Iterator<Piece> each = left.iterator(); each.hasNext(); ) {
                Piece piece = each.next();
                try (FileChannel channel = FileChannel.open(folder.resolve(piece.name()), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                        FileLock lock = channel.tryLock()) {
                    if (lock != null && piece.ready().isReady()) {
                        if (!piece.work().run()) {
                            return false;
                        }
                        each.remove();
                    }
                }
            }
            if (left.size() == before && !pause()) {
                return false;
            }
        }
        return true;
    }

    private static boolean pause() {
        try {
            Thread.sleep(WAIT_MILLIS);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
