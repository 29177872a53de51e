package io.github.bts4j.spark;

import java.io.File;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;

/** Opens Spark sessions with the settings that this module needs, from the jars on the class path; no installation is needed for local masters. */
public final class LocalSpark {
    private static final String SHUTDOWN = "spark.shutdown.timeout";

    private LocalSpark() {}

    /**
     * Opens a session, or takes the one that there is.
     *
     * @param master Spark's master: {@code local[4]} for four tasks at once in this process, {@code local-cluster[2,1,1024]} for executors as processes of this machine, or a
     *     cluster's address such as {@code spark://host:7077}
     * @return the session, which the caller closes
     * @throws IllegalArgumentException if a setting of Spark's does not fit, which the message names
     */
    public static SparkSession open(String master) {
        return open(master, Map.of());
    }

    /**
     * The same with settings of Spark's, which come before this module's.
     *
     * @param master Spark's master
     * @param settings Spark's configuration by name
     * @return the session, which the caller closes
     * @throws IllegalArgumentException if a setting of Spark's does not fit, which the message names
     */
    public static SparkSession open(String master, Map<String, String> settings) {
        if (System.getProperty(SHUTDOWN) == null) { // read once, before any configuration
            System.setProperty(SHUTDOWN, "10min"); // a training finishes its step and saves before Spark stops
        }
        SparkConf conf = new SparkConf(); // spark-submit's settings are system properties
        settings.forEach(conf::set);
        conf.setIfMissing("spark.app.name", "bts4j");
        conf.setMaster(master);
        defaults(master).forEach(conf::setIfMissing);
        SparkSettings.check(conf);
        return SparkSession.builder().config(conf).getOrCreate();
    }

    /** The jars of the class path without Spark's own, which executors have. */
    private static String ownJars() {
        List<Path> jars = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator)).filter(each -> each.endsWith(".jar")).map(each -> Path.of(each).toAbsolutePath()).toList();
        List<Path> spark = jars.stream().filter(jar -> jar.getFileName().toString().startsWith("spark-core_")).map(Path::getParent).toList();
        return jars.stream().filter(jar -> !spark.contains(jar.getParent())).map(Path::toString).collect(Collectors.joining(","));
    }

    private static Map<String, String> defaults(String master) {
        Map<String, String> defaults = new LinkedHashMap<>(Map.of(
                "spark.log.level", "WARN",
                "spark.broadcast.compress", "false", // weights do not compress
                "spark.task.maxDirectResultSize", "64m", // gradients come with the task's end, not by a second request
                "spark.executor.extraJavaOptions", "-XX:+UseSerialGC --enable-native-access=ALL-UNNAMED"));
        if (!master.startsWith("local")) {
            defaults.put("spark.jars", ownJars()); // by spark-submit, it is set
            return defaults;
        }
        defaults.putAll(Map.of("spark.ui.enabled", "false", "spark.driver.host", "127.0.0.1", "spark.driver.bindAddress", "127.0.0.1"));
        if (master.startsWith("local-cluster")) { // executors start from this process's class path
            defaults.putAll(Map.of("spark.executorEnv.SPARK_TESTING", "1", "spark.executorEnv.SPARK_SCALA_VERSION", "2.13",
                    "spark.executor.extraClassPath", System.getProperty("java.class.path"), "spark.executor.memory", "512m"));
        }
        return defaults;
    }
}
