package io.github.bts4j.core.chat.jinja;

/**
 * The limits of one rendering: steps, so that it ends within a second; bytes of all values; nested calls. Larger conversations have
 * higher limits. Not thread-safe: each rendering has its own.
 */
final class Budget {
    static final int MAX_DEPTH = 1200;

    private static final long STEPS = 2_000_000;
    private static final long STEPS_PER_CHARACTER = 500;
    private static final long MAX_STEPS = 10_000_000;
    private static final long BYTES = 20L << 20; // while a text grows it is there three times: its old and its new, longer buffer. So no more than 64 MiB are alive
    private static final long BYTES_PER_CHARACTER = 128;
    private static final int CHARACTERS_PER_STEP = 16;

    private final long maxSteps;
    private final long maxBytes;
    private long steps;
    private long bytes;
    private int depth;

    /** For a conversation and its arguments of {@code characters}. */
    Budget(long characters) {
        maxSteps = Math.min(MAX_STEPS, STEPS + STEPS_PER_CHARACTER * characters);
        maxBytes = BYTES + BYTES_PER_CHARACTER * characters;
    }

    void step() {
        if (++steps > maxSteps) {
            throw exhausted();
        }
    }

    void steps(long count) {
        steps += Math.max(count, 0);
        if (steps > maxSteps || count > maxSteps) {
            throw exhausted();
        }
    }

    private Fault exhausted() {
        return Fault.limit("the template takes more than " + maxSteps + " steps");
    }

    /** Reads through a text. */
    void read(long characters) {
        steps(characters / CHARACTERS_PER_STEP);
    }

    /** Reads through a text, a character at a time, and through those among arguments. */
    void read(Object value, Arguments arguments) {
        readText(value);
        arguments.positional().forEach(this::readText);
        arguments.named().values().forEach(this::readText);
    }

    private void readText(Object value) {
        if (Types.isText(value)) {
            read(4L * Types.text(value).length());
        } else if (value instanceof Bytes bytes) {
            read(4L * bytes.value().length);
        }
    }

    /** Makes a text of so many characters. */
    void text(long characters) {
        bytes(2 * characters + 40);
    }

    /** Makes a collection of so many elements. */
    void elements(long count) {
        steps(count / 4);
        bytes(8 * count + 40);
    }

    private void bytes(long count) {
        bytes += count;
        if (count > maxBytes || bytes > maxBytes) {
            throw Fault.limit("the template's values take more than " + (maxBytes >> 20) + " MiB");
        }
    }

    /** Goes so many levels deeper. */
    void enter(int levels) {
        depth += levels;
        if (depth > MAX_DEPTH) {
            depth -= levels;
            throw Fault.limit("maximum recursion depth exceeded");
        }
    }

    void leave(int levels) {
        depth -= levels;
    }
}
