package io.github.bts4j.spark;

import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;

/** The same with executors that are processes of their own. */
@Tag("slow")
class ClusterBranchTest extends SparkBranchTest {
    @Override
    SparkSession session() {
        return Runs.cluster();
    }
}
