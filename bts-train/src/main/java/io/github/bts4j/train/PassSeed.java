package io.github.bts4j.train;

import io.github.bts4j.core.support.SplitMix64;

/** A seed for every pass of a run. */
final class PassSeed {
    private PassSeed() {}

    /** The finaliser of SplitMix64 over seed, step and pass. */
    static long of(long seed, long step, int pass) {
        return SplitMix64.mix(seed * 0x9E3779B97F4A7C15L + step * 0xD1B54A32D192ED03L + pass);
    }
}
