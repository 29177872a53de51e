package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

/**
 * A standalone cluster of Spark's own jars: a master, two workers and {@code spark-submit}, each a process of its own. The installation is a folder with links to the jars of the
 * class path; what is bts4j's, or DJL's, is not in it, and comes with {@code --jars}.
 */
final class StandaloneCluster implements AutoCloseable {
    private static final String OWN = ".*/(bts-[\\w.-]+|api-[\\d.]+|pytorch-[\\w.-]+|tokenizers-[\\d.]+|picocli-.*|jackson-dataformat-yaml-.*|snakeyaml-.*|opentelemetry-.*)\\.jar";

    private final Path folder;
    private final Path home;
    private final String master;
    private final List<Process> processes = new ArrayList<>();
    private final List<String> own = new ArrayList<>();

    /** What a command printed. */
    record Result(int status, String out, String err) {}

    private StandaloneCluster(Path folder, String master) {
        this.folder = folder;
        this.home = folder.resolve("spark");
        this.master = master;
    }

    static StandaloneCluster start(Path folder) throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        StandaloneCluster cluster = new StandaloneCluster(folder, "spark://127.0.0.1:" + port);
        cluster.install();
        cluster.process("master", "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", String.valueOf(port), "--webui-port", "0");
        await(cluster.folder.resolve("master.log"), "I have been elected leader");
        for (String worker : List.of("worker-1", "worker-2")) {
            cluster.process(worker, "org.apache.spark.deploy.worker.Worker", cluster.master, "--host", "127.0.0.1", "--cores", "1", "--memory", "1g", "--webui-port", "0", "--work-dir",
                    folder.resolve(worker).toString());
            await(cluster.folder.resolve(worker + ".log"), "Successfully registered with master");
        }
        return cluster;
    }

    /** {@code spark-submit} as its script runs it, with bts4j's command line as the program. */
    Result submit(Object... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(java("-Dspark.shutdown.timeout=10min", "org.apache.spark.deploy.SparkSubmit"));
        command.addAll(List.of("--master", master, "--class", "io.github.bts4j.cli.Bts", "--conf", "spark.executor.cores=1", "--conf", "spark.cores.max=2", "--conf", "spark.executor.memory=512m",
                "--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.driver.bindAddress=127.0.0.1", "--conf", "spark.executorEnv.OMP_NUM_THREADS=1", "--conf", "spark.ui.enabled=false",
                "--jars", String.join(",", own), own.stream().filter(jar -> jar.matches(".*/bts-cli-[^/]*jar")).findFirst().orElseThrow()));
        Arrays.stream(arguments).map(Object::toString).forEach(command::add);
        Path out = folder.resolve("out.txt");
        Path err = folder.resolve("err.txt");
        Process process = builder(command).redirectOutput(out.toFile()).redirectError(err.toFile()).start();
        processes.add(process);
        assertTrue(process.waitFor(10, TimeUnit.MINUTES), () -> String.join(" ", command));
        String workers = process.exitValue() == 0 ? "" : Files.readString(folder.resolve("worker-1.log"));
        return new Result(process.exitValue(), Files.readString(out), Files.readString(err) + workers);
    }

    private void install() throws IOException {
        Path jars = Files.createDirectories(home.resolve("jars"));
        Files.writeString(home.resolve("RELEASE"), "the jars of the class path"); // by which Spark knows where its jars are
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            Path path = Path.of(entry);
            if (Files.isDirectory(path)) {
                if (path.endsWith("classes")) { // of a module that is not packaged yet
                    own.add(jar(path).toString());
                }
            } else if (entry.matches(OWN)) {
                own.add(entry);
            } else if (Files.exists(path) && !Files.exists(jars.resolve(path.getFileName()))) {
                Files.createSymbolicLink(jars.resolve(path.getFileName()), path);
            }
        }
    }

    private Path jar(Path classes) throws IOException {
        Path jar = Files.createDirectories(folder.resolve("own")).resolve(classes.getParent().getParent().getFileName() + "-0.1.0.jar");
        try (OutputStream file = Files.newOutputStream(jar); JarOutputStream out = new JarOutputStream(file); Stream<Path> entries = Files.walk(classes)) {
            for (Path entry : entries.filter(Files::isRegularFile).toList()) {
                out.putNextEntry(new ZipEntry(classes.relativize(entry).toString().replace(File.separatorChar, '/')));
                Files.copy(entry, out);
            }
        }
        return jar;
    }

    private List<String> java(String... more) {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx512m", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED", "-cp",
                home.resolve("jars") + "/*"));
        command.addAll(List.of(more));
        return command;
    }

    private ProcessBuilder builder(List<String> command) {
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
        builder.environment().putAll(Map.of("SPARK_HOME", home.toString(), "SPARK_SCALA_VERSION", "2.13", "SPARK_LOCAL_IP", "127.0.0.1", "OMP_NUM_THREADS", "1", "JAVA_HOME", System.getProperty("java.home")));
        return builder;
    }

    private void process(String name, String main, String... arguments) throws IOException {
        List<String> command = java(main);
        command.addAll(List.of(arguments));
        processes.add(builder(command).redirectErrorStream(true).redirectOutput(folder.resolve(name + ".log").toFile()).start());
    }

    private static void await(Path log, String text) throws IOException, InterruptedException {
        for (int tenths = 0; tenths < 3000; tenths++) {
            if (Files.exists(log) && Files.readString(log).contains(text)) {
                return;
            }
            Thread.sleep(100);
        }
        throw new AssertionError("no '" + text + "' in\n" + Files.readString(log));
    }

    @Override
    public void close() {
        processes.forEach(Process::destroy);
        for (Process process : processes) {
            process.onExit().completeOnTimeout(process, 20, TimeUnit.SECONDS).join();
            process.destroyForcibly().onExit().join();
        }
    }
}
