/**
 * Keeping a run alive: the loss-spike detector, the alarm rule over Adam's diagnostics, and what is done when they speak.
 *
 * <p>After Molybog et al., <i>A Theory on Adam Instability in Large-Scale Machine Learning</i> (arXiv 2304.09871): Adam can enter a state in which the
 * update is large and has nothing to do with the direction of descent. What has helped in practice is to restart about 100 steps before the spike and to skip
 * 200 to 500 batches. {@link io.github.bts4j.train.optim.AdamStatistics} measures, {@link io.github.bts4j.train.stability.StabilityMonitor} judges, and
 * {@link io.github.bts4j.train.stability.Safeguards} says what {@link io.github.bts4j.train.Trainer} does about it.
 */
package io.github.bts4j.train.stability;
