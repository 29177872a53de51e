/**
 * The paper's baselines (arXiv 2502.00075, section 3.2): {@link io.github.bts4j.stitch.baseline.ModelSoup} averages weights,
 * {@link io.github.bts4j.stitch.baseline.BtmEnsemble} averages output probabilities by Bayes' rule, both without training;
 * {@link io.github.bts4j.stitch.baseline.RoutedExperts} routes each sequence to one model with a small trained router.
 */
package io.github.bts4j.stitch.baseline;
