/**
 * Metrics of a run, and listeners for them.
 *
 * <p>A trainer reports to one {@link io.github.bts4j.train.metrics.MetricsListener}:
 * {@link io.github.bts4j.train.metrics.StepMetrics} after every optimizer step,
 * {@link io.github.bts4j.train.metrics.EvaluationMetrics} after every evaluation.
 * {@link io.github.bts4j.train.metrics.MetricsListener#all} passes them on to several: files
 * ({@link io.github.bts4j.train.metrics.CsvMetrics}, {@link io.github.bts4j.train.metrics.JsonLinesMetrics},
 * {@link io.github.bts4j.train.metrics.TensorBoardWriter}), the log
 * ({@link io.github.bts4j.train.metrics.LoggingListener}) and the terminal
 * ({@link io.github.bts4j.train.metrics.ProgressBar}).
 *
 * <p><b>Steps</b> are counted from 1 here: {@code step} is the number of optimizer steps done, so that a checkpoint after
 * step 100 and the row of step 100 belong together. <b>Resuming</b> from it keeps rows up to step 100: files remove
 * later rows and an incomplete row of a killed run, so that no step occurs twice.
 */
package io.github.bts4j.train.metrics;
