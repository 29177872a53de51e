/**
 * Internal classes of several modules: reading JSON, collecting problems, hashes, random streams. They may change in any version.
 */
package io.github.bts4j.core.support;
