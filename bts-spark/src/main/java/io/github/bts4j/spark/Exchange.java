package io.github.bts4j.spark;

/** How the gradients of a step's lanes come together on the driver. The results are equal to the bit. */
public enum Exchange {
    /** {@link #GATHER} for up to 4 Mi parameters or one lane, else {@link #SLICED}. */
    AUTOMATIC,
    /** Every lane's gradients go to the driver, which adds them: lanes times the size of the gradients. */
    GATHER,
    /** Every lane's gradients are cut into slices; a second stage of tasks adds those of one slice, and the driver is sent the sums: once the size of the gradients. */
    SLICED;

    private static final long GATHERED = 4L << 20;

    Exchange of(long parameters, int lanes) {
        return this != AUTOMATIC ? this : lanes == 1 || parameters <= GATHERED ? GATHER : SLICED;
    }
}
