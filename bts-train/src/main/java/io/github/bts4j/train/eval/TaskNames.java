package io.github.bts4j.train.eval;

/** Checks that apply to every task. */
final class TaskNames {
    private TaskNames() {}

    static void check(String name, int items) {
        if (name.isBlank()) {
            throw new IllegalArgumentException("name = '" + name + "' is blank: results need a name");
        }
        if (items == 0) {
            throw new IllegalArgumentException("Task '" + name + "' has no item");
        }
    }
}
