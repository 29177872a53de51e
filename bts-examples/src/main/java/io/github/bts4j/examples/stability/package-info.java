/** Adam's instability, made on purpose and survived. */
package io.github.bts4j.examples.stability;
