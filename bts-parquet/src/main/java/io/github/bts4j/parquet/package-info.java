/** Text sources that read Apache Parquet files. */
package io.github.bts4j.parquet;
