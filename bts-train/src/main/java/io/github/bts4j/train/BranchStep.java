package io.github.bts4j.train;

import java.io.Serializable;

/**
 * How far an expert's training is.
 *
 * @param expert the expert's name
 * @param step optimizer steps done
 * @param totalSteps steps of the whole run
 * @param loss the step's mean loss in nats
 * @param attempt number of the attempt, 0 unless an earlier one was lost
 * @serial exclude
 */
public record BranchStep(String expert, long step, long totalSteps, double loss, int attempt) implements Serializable {}
