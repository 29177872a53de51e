/**
 * What the paper compares with (arXiv 2502.00075, section 3.2), so far the two that need no training:
 * {@link io.github.bts4j.stitch.baseline.ModelSoup} averages weights, {@link io.github.bts4j.stitch.baseline.BtmEnsemble} averages
 * output probabilities by Bayes' rule.
 */
package io.github.bts4j.stitch.baseline;
