/**
 * The configuration of AdamW, {@link io.github.bts4j.train.optim.AdamWConfig}, and the statistics of a step, {@link io.github.bts4j.train.optim.AdamStatistics}.
 * The optimizer is {@link io.github.bts4j.train.AdamW}.
 */
package io.github.bts4j.train.optim;
