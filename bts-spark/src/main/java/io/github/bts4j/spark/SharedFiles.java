package io.github.bts4j.spark;

import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.FileTree;
import io.github.bts4j.core.support.Hashes;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.deploy.SparkHadoopUtil;

/**
 * Files that all executors can read. Those of a mounted file system are used where they are, weights mapped. Those of {@code hdfs:}, {@code s3a:} and Hadoop's other file systems
 * are copied once to each machine, into a folder that is named by the SHA-256 of their address, names, sizes and times, and mapped from there.
 *
 * <p>Thread-safe, also with other processes of the machine. Copies stay for later runs: the folder {@code bts4j-files} in {@code java.io.tmpdir}, or {@code -Dbts4j.files}, may be
 * deleted when no run uses it.
 */
public final class SharedFiles {
    /** Where copies came from, by their local folder. */
    private static final Map<String, String> ORIGINS = new ConcurrentHashMap<>();

    private SharedFiles() {}

    /**
     * A folder or file on this machine.
     *
     * @param address a path, or an address such as {@code file:/models/seed}, {@code hdfs://host/models/seed} or {@code s3a://bucket/models/seed}
     * @return where it is on this machine
     * @throws IOException if it does not exist, or cannot be read or copied
     */
    public static Path local(String address) throws IOException {
        URI uri = address.matches("\\w[\\w+.-]+:/.*") ? URI.create(address) : null;
        if (uri == null || uri.getScheme().equals("file")) {
            Path path = uri == null ? Path.of(address) : Path.of(uri.getPath());
            if (!Files.exists(path)) {
                throw new NoSuchFileException(path.toString(), null, "every executor needs it under this path: use a file system that all machines mount, or an hdfs: or s3a: address");
            }
            return path;
        }
        Path copy = copied(new org.apache.hadoop.fs.Path(uri));
        ORIGINS.put(copy.toString(), address);
        AtomicFiles.write(origin(root().relativize(copy).getName(0)), copy + "\n" + address);
        return copy;
    }

    private static Path root() throws IOException {
        return Files.createDirectories(Path.of(System.getProperty("bts4j.files", Path.of(System.getProperty("java.io.tmpdir"), "bts4j-files").toString()))).toRealPath();
    }

    /** Says where a copy came from, for later processes. */
    private static Path origin(Path name) throws IOException {
        return root().resolve(".origin-" + name);
    }

    /** Knows where a file came from if it is a copy of an earlier process. */
    static void remember(Path file) throws IOException {
        if (file.startsWith(root()) && !file.equals(root())) {
            Path origin = origin(root().relativize(file).getName(0));
            if (Files.exists(origin)) {
                List<String> lines = Files.readAllLines(origin);
                ORIGINS.put(lines.get(0), lines.get(1));
            }
        }
    }

    /** Where the copies on this machine came from, for other machines. */
    static HashMap<String, String> origins() {
        return new HashMap<>(ORIGINS);
    }

    /** The place on this machine of a path of another machine, whose copies are known. */
    static Path find(String path, Map<String, String> origins) throws IOException {
        for (Map.Entry<String, String> origin : origins.entrySet()) {
            if (path.equals(origin.getKey()) || path.startsWith(origin.getKey() + "/")) {
                return local(origin.getValue()).resolve(path.substring(origin.getKey().length()).replaceFirst("^/", ""));
            }
        }
        return local(path);
    }

    /** With the settings of the cluster, or of {@code -Dspark.hadoop} before there is one. */
    private static FileSystem system(org.apache.hadoop.fs.Path remote) throws IOException {
        SparkConf settings = SparkEnv.get() == null ? new SparkConf() : SparkEnv.get().conf();
        try {
            return remote.getFileSystem(SparkHadoopUtil.get().newConfiguration(settings));
        } catch (RuntimeException e) { // a class that is missing comes in one
            throw new IOException(remote + " cannot be read: " + e.getMessage() + "; Hadoop's jars for this kind of store, such as hadoop-aws, must be on the class path", e);
        }
    }

    private static Path copied(org.apache.hadoop.fs.Path remote) throws IOException {
        FileSystem system = system(remote);
        FileStatus what = status(system, remote);
        List<FileStatus> files = new ArrayList<>();
        if (what.isDirectory()) {
            collect(system, what, files);
        } else {
            files.add(what);
        }
        files.sort(Comparator.comparing(file -> file.getPath().toString()));
        StringBuilder text = new StringBuilder(remote.toString());
        files.forEach(file -> text.append('\n').append(file.getPath()).append(' ').append(file.getLen()).append(' ').append(file.getModificationTime()));
        Path folder = root().resolve(Hashes.sha256(text.toString()));
        if (!Files.exists(folder)) {
            copy(system, what, files, folder);
        }
        return what.isDirectory() ? folder : folder.resolve(what.getPath().getName());
    }

    private static FileStatus status(FileSystem system, org.apache.hadoop.fs.Path remote) throws IOException {
        try {
            return system.getFileStatus(remote);
        } catch (java.io.FileNotFoundException e) {
            throw new NoSuchFileException(remote.toString());
        }
    }

    private static void collect(FileSystem system, FileStatus folder, List<FileStatus> files) throws IOException {
        for (FileStatus each : system.listStatus(folder.getPath())) {
            if (each.isDirectory()) {
                collect(system, each, files);
            } else {
                files.add(each);
            }
        }
    }

    /** Into a folder of another name, which is renamed when it is complete. */
    private static void copy(FileSystem system, FileStatus what, List<FileStatus> files, Path target) throws IOException {
        Path temporary = Files.createTempDirectory(target.getParent(), ".copying-");
        try {
            int prefix = what.isDirectory() ? what.getPath().toUri().getPath().length() + 1 : what.getPath().getParent().toUri().getPath().replaceFirst("/$", "").length() + 1;
            for (FileStatus file : files) {
                Path into = temporary.resolve(file.getPath().toUri().getPath().substring(prefix));
                Files.createDirectories(into.getParent());
                try (var in = system.open(file.getPath())) {
                    long copied = Files.copy(in, into);
                    if (copied != file.getLen()) {
                        throw new IOException(file.getPath() + " has " + file.getLen() + " bytes, of which " + copied + " were read: was it changed meanwhile?");
                    }
                }
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            if (!Files.isDirectory(target)) { // otherwise another process was faster
                throw new IOException("Copying " + what.getPath() + " to " + target.getParent() + " failed: " + e.getMessage() + "; -Dbts4j.files names another folder", e);
            }
        } finally {
            FileTree.delete(temporary);
        }
    }
}
