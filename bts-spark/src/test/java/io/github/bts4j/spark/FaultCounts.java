package io.github.bts4j.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.List;

/** What came of the trials of one kind of fault; a row of docs/scale-out.md in {@code target/spark-faults.md}. */
final class FaultCounts {
    private final String kind;
    private int same;
    private int errors;
    private int lost;

    FaultCounts(String kind) {
        this.kind = kind;
    }

    void same() {
        same++;
        progress();
    }

    /** A clear error, after which the run was repeated without the fault: the same bits. */
    void error() {
        errors++;
        progress();
    }

    private void progress() {
        System.out.println(LocalTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.SECONDS) + " " + kind + ": " + (same + errors));
    }

    /** Tasks that were computed again. */
    void lost(int tasks) {
        lost += tasks;
    }

    void write() throws IOException {
        String row = "| " + kind + " | " + (same + errors) + " | " + lost + " | " + same + " | " + errors + " |";
        System.out.println(row);
        Files.write(Path.of("target/spark-faults.md"), List.of(row), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
}
