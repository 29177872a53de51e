/**
 * The families of models that share Llama's decoder, and in what each differs from it.
 *
 * <p>{@link io.github.bts4j.core.llama.family.Family} is the table: one constant for each family, with what its checkpoints name otherwise and what it computes
 * otherwise. {@link io.github.bts4j.core.llama.family.Traits} is what a given model's configuration says of these differences, layer by layer. Readers, writers and both
 * engines ask these, and never which family it is.
 */
package io.github.bts4j.core.llama.family;
