package io.github.bts4j.examples.experiment;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** Divides an experiment between processes: each works on a different stage. */
final class Turns {
    private static final long WAIT_MILLIS = 1000;

    private final Path folder;
    private final Round round;

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

    /** What became of a piece. */
    enum Outcome { DONE, STOPPED, LATER }

    /** Tries pieces, in their order; as many outcomes as were tried. */
    interface Round {
        List<Outcome> of(List<Piece> pieces) throws IOException;
    }

    /** Uses lock files in a folder, and does the pieces here. */
    Turns(Path folder) {
        this.folder = folder;
        this.round = this::here;
    }

    /** Does the pieces elsewhere. */
    Turns(Path folder, Round round) {
        this.folder = folder;
        this.round = round;
    }

    /** Does all pieces, or waits until other processes have done them; false as soon as a piece was interrupted. */
    boolean all(List<Piece> pieces) throws IOException {
        Files.createDirectories(folder);
        List<Piece> left = new ArrayList<>(pieces);
        while (!left.isEmpty()) {
            List<Outcome> outcomes = round.of(left);
            if (outcomes.contains(Outcome.STOPPED)) {
                return false;
            }
            List<Piece> later = new ArrayList<>();
            for (int i = 0; i < left.size(); i++) {
                if (i >= outcomes.size() || outcomes.get(i) == Outcome.LATER) {
                    later.add(left.get(i));
                }
            }
            boolean none = later.size() == left.size();
            left = later;
            if (none && !pause()) {
                return false;
            }
        }
        return true;
    }

    private List<Outcome> here(List<Piece> pieces) throws IOException {
        List<Outcome> outcomes = new ArrayList<>();
        for (Piece piece : pieces) {
            outcomes.add(attempt(piece));
            if (outcomes.contains(Outcome.STOPPED)) {
                break;
            }
        }
        return outcomes;
    }

    /** Does a piece, unless another process does it, or it cannot begin. */
    Outcome attempt(Piece piece) throws IOException {
        Files.createDirectories(folder);
        try (FileChannel channel = FileChannel.open(folder.resolve(piece.name()), StandardOpenOption.CREATE, StandardOpenOption.WRITE); FileLock lock = channel.tryLock()) {
            if (lock == null || !piece.ready().isReady()) {
                return Outcome.LATER;
            }
            return piece.work().run() ? Outcome.DONE : Outcome.STOPPED;
        }
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
