/**
 * Training and scoring on Apache Spark, optional.
 *
 * <p>The trainer runs on the driver, unchanged: {@link io.github.bts4j.spark.SparkTraining} computes the passes of its steps as tasks. A step's gradients are added in a fixed
 * order, that of the lanes of {@link io.github.bts4j.train.TrainerConfig}, so that a run has the same bits in one process and on any number of executors, whichever of them are
 * lost on the way. Nothing waits for all executors to be there, and nothing native is added.
 *
 * <p>Spark is {@code provided}: 4.2.x with Scala 2.13, on Java 17 or 25, from the cluster or from the class path. docs/scale-out.md says when it pays, and which settings it needs.
 */
package io.github.bts4j.spark;
