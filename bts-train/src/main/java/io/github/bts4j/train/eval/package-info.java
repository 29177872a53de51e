/**
 * Evaluation on held-out text: {@link io.github.bts4j.train.eval.BitsPerByte} scores any model on windows of any domain, in a unit
 * that does not depend on the tokenizer.
 */
package io.github.bts4j.train.eval;
