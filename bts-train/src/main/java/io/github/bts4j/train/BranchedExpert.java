package io.github.bts4j.train;

import java.io.Serializable;

/**
 * An expert that was trained.
 *
 * @param name its name
 * @param folder its checkpoint folder
 * @param sha256 SHA-256 of its weights' file
 * @param steps optimizer steps of its run
 * @serial exclude
 */
public record BranchedExpert(String name, String folder, String sha256, long steps) implements Serializable {}
