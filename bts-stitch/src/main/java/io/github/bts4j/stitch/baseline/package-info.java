/**
 * What the paper compares with (arXiv 2502.00075, section 3.2): {@link io.github.bts4j.stitch.baseline.ModelSoup} averages weights,
 * {@link io.github.bts4j.stitch.baseline.BtmEnsemble} averages output probabilities by Bayes' rule, neither of them trained; and
 * {@link io.github.bts4j.stitch.baseline.RoutedExperts} hands each sequence to one model that a small trained router chooses.
 */
package io.github.bts4j.stitch.baseline;
