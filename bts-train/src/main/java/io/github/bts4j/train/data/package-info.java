/**
 * From text to the token sequences of a training step.
 *
 * <p>The way of a document:
 * <ol>
 * <li>a {@link io.github.bts4j.train.data.TextSource} streams documents out of JSON lines or plain-text files;</li>
 * <li>a {@link io.github.bts4j.train.data.TokenEncoder} turns each into token ids, and a
 *     {@link io.github.bts4j.train.data.TokenDataset} packs the ids of one domain into one sequence, remembering where
 *     documents begin and how many bytes of text they had;</li>
 * <li>{@link io.github.bts4j.train.data.HoldOut} splits a dataset by document into a training and a held-out part;</li>
 * <li>a {@link io.github.bts4j.train.data.Datamix} deals sequences of {@code sequenceLength + 1} tokens out of several
 *     domains by weight, as {@link io.github.bts4j.train.data.Batch}es; held-out parts are read in
 *     {@link io.github.bts4j.train.data.Window}s instead.</li>
 * </ol>
 *
 * <p><b>Exact counts.</b> Sequences are numbered from 0 and grouped into blocks. In each block every domain has a whole
 * number of sequences, and after any number of blocks a domain has had its weight's share of all sequences to within
 * less than one sequence: the fraction that a block leaves over is carried to the next.
 *
 * <p><b>Restart by position.</b> Sequence number {@code i} is a pure function of the seed and {@code i}. A run resumes by
 * remembering one number; nothing is read again or replayed.
 *
 * <p>Everything here is plain Java on the heap: no tensors, nothing to close but the streams of a text source.
 */
package io.github.bts4j.train.data;
