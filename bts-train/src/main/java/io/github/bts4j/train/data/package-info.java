/**
 * From text to the token sequences of a training step.
 *
 * <p>From document to batch:
 * <ol>
 * <li>a {@link io.github.bts4j.train.data.TextSource} streams documents from JSON lines or plain-text files;</li>
 * <li>a {@link io.github.bts4j.train.data.TokenEncoder} turns each into token ids, and a
 *     {@link io.github.bts4j.train.data.TokenDataset} packs the ids of one domain into one sequence, and records where
 *     documents begin and their size in bytes;</li>
 * <li>{@link io.github.bts4j.train.data.HoldOut} splits a dataset by document into a training and a held-out part;</li>
 * <li>a {@link io.github.bts4j.train.data.Datamix} draws sequences of {@code sequenceLength + 1} tokens from several
 *     domains by weight, as {@link io.github.bts4j.train.data.Batch}es; held-out parts are read in
 *     {@link io.github.bts4j.train.data.Window}s instead.</li>
 * </ol>
 *
 * <p><b>Exact counts.</b> Sequences are numbered from 0 and grouped into blocks. In each block every domain has a whole
 * number of sequences, and after any number of blocks a domain has had its weight's share of all sequences to within
 * less than one sequence: the fraction that a block leaves over is carried to the next.
 *
 * <p><b>Resuming by position.</b> Sequence number {@code i} is a pure function of the seed and {@code i}. A run resumes from
 * one number; nothing is replayed.
 *
 * <p>Everything here is plain Java without tensors. Only the streams of a text source need to be closed.
 */
package io.github.bts4j.train.data;
