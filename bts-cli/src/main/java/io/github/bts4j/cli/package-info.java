/** The command line {@code bts}, see {@link io.github.bts4j.cli.Bts}. */
package io.github.bts4j.cli;
