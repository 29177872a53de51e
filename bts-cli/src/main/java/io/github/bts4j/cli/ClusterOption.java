package io.github.bts4j.cli;

import io.github.bts4j.train.cluster.Cluster;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The option for computing elsewhere. */
final class ClusterOption {
    @Option(names = "--master", paramLabel = "ADDRESS", description = "Compute on Apache Spark: local[4], spark://host:7077, yarn or k8s://.. Needs bts-spark and Spark's jars; spark-submit gives the address itself.")
    private String master;

    /** For commands that do nothing there. */
    void refuse(String why) {
        if (master != null) {
            throw new IllegalArgumentException("--master " + master + ": " + why);
        }
    }

    /** The cluster, if one was asked for; the caller closes it. */
    Optional<Cluster> open() {
        String address = master == null ? System.getProperty("spark.master") : master; // set by spark-submit
        if (address == null) {
            return Optional.empty();
        }
        if (!address.matches("local(-cluster)?(\\[.+])?|spark://.+|yarn|k8s://.+")) {
            throw new IllegalArgumentException("--master " + address + " is no address of Spark's: use local[N], spark://HOST:PORT, yarn or k8s://HOST");
        }
        return Optional.of(Cluster.open(address));
    }
}
