package io.github.bts4j.train;

import java.util.Map;

/**
 * The state of a run, apart from its tensors.
 *
 * @param step optimizer steps done
 * @param position sequences of the datamix consumed: the index of the next one
 * @param tokensSeen tokens predicted so far
 * @param seed seed of the passes' random draws; each pass is seeded by it, the step and its number in the step, so that no
 *     generator's state needs to be saved
 * @param config the configuration's identity
 * @param data the datamix's fingerprint
 * @param model identity of the base models, and the kernels that the run computes with
 * @param safety state of the divergence guard
 * @param validation the best validation so far
 */
public record RunState(long step, long position, long tokensSeen, long seed, String config, String data, Map<String, String> model,
        DivergenceGuard.State safety, RunValidation.State validation) {}
