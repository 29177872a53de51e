package io.github.bts4j.core.constraint;

/** One special token, which has no bytes. */
final class SpecialToken extends Terminal {
    private final int id;

    SpecialToken(int id) {
        this.id = id;
    }

    int id() {
        return id;
    }

    @Override
    Object begin() {
        return 0;
    }

    @Override
    Object next(Object place, int value) {
        return null;
    }

    @Override
    boolean accepts(Object place) {
        return false;
    }

    @Override
    boolean goesOn(Object place) {
        return true;
    }
}
