package io.github.bts4j.spark;

import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.support.Processor;
import io.github.bts4j.train.TrainingSource;
import java.io.Serializable;
import java.util.HashMap;

/**
 * What executors compute passes of.
 *
 * @param key unlike any other job's
 * @param source how to open it
 * @param identity the driver's training
 * @param origins where copies of remote files came from
 * @param processor the driver's kind of processor
 * @param mixed whether executors may have other kinds
 */
record TrainingJob(String key, TrainingSource source, HashMap<String, String> identity, HashMap<String, String> origins, String processor, boolean mixed) implements Serializable {
    void checkProcessor() {
        if (!mixed && !Processor.kind().equals(processor)) {
            throw new UnsupportedException("This executor's processor is " + Processor.kind() + ", the driver's is " + processor + ": they round sums differently; use machines of one kind, or set "
                    + SparkSettings.MIXED + "=true, after which runs are no longer equal to the bit");
        }
    }
}
