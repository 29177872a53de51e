/**
 * What several modules need and no user calls: reading JSON, collecting problems, hashes, random streams. Internal: it may change in any version.
 */
package io.github.bts4j.core.support;
