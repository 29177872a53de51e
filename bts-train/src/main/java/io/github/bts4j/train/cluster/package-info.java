/** Computing in other processes. An implementation is found by its provider: bts-spark has one for Apache Spark. */
package io.github.bts4j.train.cluster;
