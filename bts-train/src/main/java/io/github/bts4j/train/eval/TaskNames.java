package io.github.bts4j.train.eval;

/** Checks what every task needs. Not for instances. */
final class TaskNames {
    private TaskNames() {}

    static void check(String name, int items) {
        if (name.isBlank()) {
            throw new IllegalArgumentException("name = '" + name + "' is blank: results are found by it");
        }
        if (items == 0) {
            throw new IllegalArgumentException("Task '" + name + "' has no item");
        }
    }
}
