package io.github.bts4j.train;

import java.util.Map;

/**
 * Where a run stands, beside its tensors.
 *
 * @param step optimizer steps done
 * @param position sequences of the datamix consumed: the index of the next one
 * @param tokensSeen tokens predicted so far
 * @param seed seed of the passes' random draws; each pass is seeded by it, the step and its number in the step, so that no
 *     generator's inner state needs to be kept
 * @param config the configuration's identity
 * @param data the datamix's fingerprint
 * @param model what the trained tensors are bound to
 * @param safety what the run knows about its own health
 * @param validation when the run was best
 */
public record RunState(long step, long position, long tokensSeen, long seed, String config, String data, Map<String, String> model,
        RunSafety.State safety, RunValidation.State validation) {}
