package io.github.bts4j.train.metrics;

import com.sun.jna.Function;
import com.sun.jna.Platform;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;

/**
 * Shows a run's progress: step, percent, loss, speed and the time left.
 *
 * <p>On a terminal it is one line that is redrawn; elsewhere (a file, a pipe, a build log) a plain line every few
 * seconds, and one for the first and the last step. The time left is the number of steps left times the mean time of the
 * last {@value #WINDOW} steps of this process. Not thread-safe.
 */
public final class ProgressBar implements MetricsListener {

    private static final int WINDOW = 64;
    private static final int BAR_WIDTH = 24;
    private static final int LINE_WIDTH = 79; // a line that the terminal wraps cannot be redrawn
    private static final int STANDARD_ERROR = 2;
    private static final Duration REDRAW = Duration.ofMillis(100);
    private static final Duration PLAIN_LINES = Duration.ofSeconds(10);

    private final PrintStream out;
    private final boolean terminal;
    private final InstantSource clock;
    private final Deque<Seen> seen = new ArrayDeque<>();
    private Instant lastDrawn = Instant.MIN;
    private String line = "";

    private record Seen(long step, Instant at) {
    }

    /**
     * Creates a progress bar.
     *
     * @param out where to draw; not closed
     * @param terminal whether it is a terminal, on which a line can be redrawn
     * @param clock the time
     */
    public ProgressBar(PrintStream out, boolean terminal, InstantSource clock) {
        this.out = out;
        this.terminal = terminal;
        this.clock = clock;
    }

    /**
     * A progress bar on standard error, which is a terminal if the C function {@code isatty} says so.
     *
     * @return the listener
     */
    public static ProgressBar onStandardError() {
        return new ProgressBar(System.err, isTerminal(STANDARD_ERROR), InstantSource.system());
    }

    /** {@code System.console()} considers input and output, and is never null on JDK 22. */
    private static boolean isTerminal(int descriptor) {
        try {
            return Function.getFunction(Platform.isWindows() ? "msvcrt" : Platform.C_LIBRARY_NAME, Platform.isWindows() ? "_isatty" : "isatty")
                    .invokeInt(new Object[] {descriptor}) != 0;
        } catch (UnsatisfiedLinkError e) {
            return false;
        }
    }

    @Override
    public void onStep(StepMetrics metrics) {
        Instant now = clock.instant();
        seen.addLast(new Seen(metrics.step(), now));
        if (seen.size() > WINDOW + 1) {
            seen.removeFirst();
        }
        boolean due = seen.size() == 1 || metrics.step() == metrics.totalSteps()
                || !now.isBefore(lastDrawn.plus(terminal ? REDRAW : PLAIN_LINES));
        if (due) {
            lastDrawn = now;
            show(text(metrics));
        }
    }

    @Override
    public void onEvaluation(EvaluationMetrics metrics) {
        onMessage(String.format(Locale.ROOT, "evaluation at step %d: loss %.4f", metrics.step(), metrics.loss()));
    }

    @Override
    public void onMessage(String message) {
        String bar = line;
        if (terminal && !bar.isEmpty()) {
            out.print("\r" + " ".repeat(bar.length()) + "\r");
            line = "";
        }
        out.print(message + "\n");
        if (terminal && !bar.isEmpty()) {
            show(bar);
        }
        out.flush();
    }

    @Override
    public void close() {
        if (terminal && !line.isEmpty()) {
            out.print("\n");
            line = "";
        }
        out.flush();
    }

    private void show(String text) {
        if (terminal) {
            out.print("\r" + text + " ".repeat(Math.max(0, line.length() - text.length())));
            line = text;
        } else {
            out.print(text + "\n");
        }
        out.flush();
    }

    private String text(StepMetrics metrics) {
        double done = (double) metrics.step() / metrics.totalSteps();
        String steps = String.format(Locale.ROOT, "step %d/%d", metrics.step(), metrics.totalSteps());
        String rest = String.format(Locale.ROOT, " %.1f%% loss %.4f %s tok/s ETA %s", Math.floor(done * 1000) / 10, metrics.loss(), speed(metrics.tokensPerSecond()),
                timeLeft(metrics));
        int width = Math.min(BAR_WIDTH, LINE_WIDTH - steps.length() - rest.length() - 3);
        if (!terminal || width < 4) {
            return steps + rest;
        }
        int filled = (int) (done * width);
        return steps + " [" + "#".repeat(filled) + ".".repeat(width - filled) + "]" + rest;
    }

    private String timeLeft(StepMetrics metrics) {
        long left = metrics.totalSteps() - metrics.step();
        Seen first = seen.getFirst();
        Seen last = seen.getLast();
        if (left == 0) {
            return "0s";
        }
        if (last.step() <= first.step()) {
            return "--";
        }
        double secondsPerStep = Duration.between(first.at(), last.at()).toNanos() / 1e9 / (last.step() - first.step());
        return duration(Math.round(left * secondsPerStep));
    }

    private static String duration(long seconds) {
        if (seconds < 60) {
            return seconds + "s";
        }
        if (seconds < 3600) {
            return String.format(Locale.ROOT, "%dm%02ds", seconds / 60, seconds % 60);
        }
        if (seconds < 86_400) {
            return String.format(Locale.ROOT, "%dh%02dm", seconds / 3600, seconds % 3600 / 60);
        }
        return String.format(Locale.ROOT, "%dd%02dh", seconds / 86_400, seconds % 86_400 / 3600);
    }

    private static String speed(double tokensPerSecond) {
        if (tokensPerSecond >= 999_950) {
            return String.format(Locale.ROOT, "%.1fM", tokensPerSecond / 1e6);
        }
        return tokensPerSecond >= 999.5 ? String.format(Locale.ROOT, "%.1fk", tokensPerSecond / 1e3)
                : String.format(Locale.ROOT, "%.0f", tokensPerSecond);
    }
}
