package io.github.bts4j.train;

import io.github.bts4j.core.MismatchException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** A saved run cannot be resumed, because its configuration, data or model differ. */
public final class ResumeException extends MismatchException {
    private static final long serialVersionUID = 1L;

    /** As a string, because a path is not serializable. */
    private final String checkpoint;

    /** Not serialized; the message has them. */
    private final transient List<RunDifference> differences;

    /**
     * Reports a run that cannot be resumed.
     *
     * @param checkpoint the saved run's newest checkpoint
     * @param differences every value that differs and must not
     */
    public ResumeException(Path checkpoint, List<RunDifference> differences) {
        super("The checkpoint in " + checkpoint + " belongs to another run; start a new run in another folder, or restore what changed: "
                + differences.stream().map(RunDifference::text).collect(Collectors.joining("; ")) + permissions(differences));
        this.checkpoint = checkpoint.toString();
        this.differences = List.copyOf(differences);
    }

    private static String permissions(List<RunDifference> differences) {
        return Arrays.stream(ResumeChange.values()).filter(change -> differences.stream().anyMatch(difference -> difference.isAllowedBy(Set.of(change))))
                .map(change -> "; ResumeChange." + change + " would allow a different " + change.name().toLowerCase(Locale.ROOT)).collect(Collectors.joining());
    }

    /** {@return the folder of the saved run's newest checkpoint} */
    public Path checkpoint() {
        return Path.of(checkpoint);
    }

    /** {@return what differs and must not, one entry per value, at least one; none in an exception that was serialized} */
    public List<RunDifference> differences() {
        return differences == null ? List.of() : differences;
    }
}
