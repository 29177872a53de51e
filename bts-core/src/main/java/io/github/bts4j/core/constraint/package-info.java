/**
 * Constraints of generated texts: JSON, and JSON that fits a schema. {@link io.github.bts4j.core.constraint.Constraint} compiles a schema to a grammar over bytes, whose
 * automaton allows or excludes the tokens of a vocabulary at each step of a text ({@link io.github.bts4j.core.constraint.Guide}).
 */
package io.github.bts4j.core.constraint;
