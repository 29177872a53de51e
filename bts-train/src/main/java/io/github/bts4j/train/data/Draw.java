package io.github.bts4j.train.data;

/**
 * One entry of a mix's endless list of sequences.
 *
 * @param domain index of the domain in {@link Datamix#domains()}
 * @param ordinal number of the sequence within its domain, from 0
 */
public record Draw(int domain, long ordinal) {
}
