package io.github.bts4j.train.eval;

/**
 * A continuation as token ids.
 *
 * @param ids the context's tokens, then the scored ones
 * @param scored how many are scored, at least 1 and less than all
 */
record EncodedContinuation(int[] ids, int scored) {
    /** Index of the first scored token. */
    int from() {
        return ids.length - scored;
    }
}
