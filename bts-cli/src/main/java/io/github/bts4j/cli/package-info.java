/** The command line {@code bts}: {@link io.github.bts4j.cli.Bts} has the commands. */
package io.github.bts4j.cli;
