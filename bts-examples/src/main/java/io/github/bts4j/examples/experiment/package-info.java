/** The comparison of methods that one declarative file describes: {@code bts experiment}. */
package io.github.bts4j.examples.experiment;
