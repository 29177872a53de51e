/**
 * Checkpoints on disk: their tensors, the location of the bytes, and fingerprints.
 *
 * <h2>Reading</h2> {@link io.github.bts4j.core.checkpoint.Checkpoint#open Checkpoint.open} takes a Hugging Face folder, with one
 * safetensors file or with shards and an index, or a single file. It reads headers only and gives {@linkplain
 * io.github.bts4j.core.checkpoint.TensorEntry entries}: name, type, shape, file, offset and length in bytes. Offsets and sizes are {@code
 * long}, so files may exceed 2 GiB. Other packages map the files and turn the bytes into tensors.
 *
 * <h2>The format</h2>
 * A safetensors file is eight bytes N (unsigned, little-endian), a JSON header of N bytes, and the data, which the
 * tensors cover without gap or overlap:
 * <pre>{@code
 * {"__metadata__": {"format": "pt"}, "weight": {"dtype": "BF16", "shape": [4, 8], "data_offsets": [0, 64]}}
 * }</pre>
 *
 * <h2>Bad input</h2> Files are untrusted. Whatever their bytes, opening one gives valid entries or fails with a {@link
 * io.github.bts4j.core.checkpoint.ModelFormatException} that names file, tensor and byte. Anything unknown is refused: types, keys, tensors
 * that an index does not list.
 *
 * <h2>Writing</h2> {@link io.github.bts4j.core.checkpoint.SafetensorsWriter} streams tensors of any size; {@link
 * io.github.bts4j.core.checkpoint.AtomicFiles} replaces files atomically, including JSON and text.
 *
 * <p>Saving replaces: every {@code save} and {@code write} of the library replaces existing files of the same names, each one atomically,
 * and the one that identifies the folder's kind last. Other files are kept. It does not ask; code that must not lose existing files has to
 * check first, as the commands do, which refuse without {@code --force}. Only what would leave a folder unreadable, one file of weights
 * beside shards, is refused with an {@link io.github.bts4j.core.OutputException}. A model that is open keeps the files it was opened from
 * when they are replaced; on Windows mapped files cannot be.
 *
 * <h2>Identity</h2>
 * {@link io.github.bts4j.core.checkpoint.ModelFingerprint} identifies a model by the SHA-256 of its files.
 */
package io.github.bts4j.core.checkpoint;
