package io.github.bts4j.core.constraint;

/**
 * A value that is the whole text, with white space before it.
 *
 * @param value its rule
 */
record WholeText(Node value) {
    Node rule() {
        Sequence whole = new Sequence(new WhiteSpace(), value);
        whole.productive();
        return whole;
    }
}
