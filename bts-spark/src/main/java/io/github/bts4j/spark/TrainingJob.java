package io.github.bts4j.spark;

import io.github.bts4j.core.torch.KernelChoices;
import io.github.bts4j.train.TrainingSource;
import java.io.Serializable;
import java.util.HashMap;

/**
 * What executors compute passes of.
 *
 * @param key unlike any other job's
 * @param source how to open it
 * @param identity the driver's training
 * @param place where the driver is
 */
record TrainingJob(String key, TrainingSource source, HashMap<String, String> identity, ExecutorPlace place) implements Serializable {
    TrainingJob with(KernelChoices choices) {
        return new TrainingJob(key, source, identity, place.with(choices));
    }
}
