/**
 * What is said of AdamW before it steps and after: {@link io.github.bts4j.train.optim.AdamWConfig}, and what a step measured, {@link io.github.bts4j.train.optim.AdamStatistics}.
 * {@link io.github.bts4j.train.AdamW} steps.
 */
package io.github.bts4j.train.optim;
