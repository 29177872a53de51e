/**
 * Divergence guard: the loss-spike detector, the alarm rule over Adam's diagnostics, and reactions to them.
 *
 * <p>After Molybog et al., <i>A Theory on Adam Instability in Large-Scale Machine Learning</i> (arXiv 2304.09871): Adam can enter a state in which the
 * update is large and unrelated to the direction of descent. In practice it helps to restart about 100 steps before the spike and to skip
 * 200 to 500 batches. {@link io.github.bts4j.train.optim.AdamStatistics} measures, {@link io.github.bts4j.train.stability.StabilityMonitor} evaluates, and
 * {@link io.github.bts4j.train.stability.Safeguards} configures how {@link io.github.bts4j.train.Trainer} reacts.
 */
package io.github.bts4j.train.stability;
