package io.github.bts4j.examples;

/** Checks the number of command-line arguments. */
final class Arguments {
    private Arguments() {}

    static void check(String[] arguments, String usage, int least, int most) {
        if (arguments.length < least || arguments.length > most) {
            throw new IllegalArgumentException(arguments.length + " arguments were given; the usage is: " + usage);
        }
    }
}
