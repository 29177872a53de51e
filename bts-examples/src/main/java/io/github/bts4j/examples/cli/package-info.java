/** The command line {@code bts}: {@link io.github.bts4j.examples.cli.Bts} has the commands. */
package io.github.bts4j.examples.cli;
