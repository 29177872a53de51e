package io.github.bts4j.spark;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;

/** Hadoop's own cluster in this process, which the profile {@code hdfs} brings; by name, since without the profile its class is not there. */
public final class MiniHdfs implements AutoCloseable {
    private static final String CLUSTER = "org.apache.hadoop.hdfs.MiniDFSCluster";

    private final AutoCloseable cluster;
    private final FileSystem files;

    private MiniHdfs(AutoCloseable cluster, FileSystem files) {
        this.cluster = cluster;
        this.files = files;
    }

    public static boolean isThere() {
        try {
            Class.forName(CLUSTER);
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    /** Its blocks are below the folder. */
    public static MiniHdfs open(Path folder) throws ReflectiveOperationException {
        Configuration configuration = new Configuration();
        configuration.set("hdfs.minidfs.basedir", folder.toString());
        Class<?> builder = Class.forName(CLUSTER + "$Builder");
        Object built = builder.getMethod("build").invoke(builder.getConstructor(Configuration.class).newInstance(configuration));
        return new MiniHdfs((AutoCloseable) built, (FileSystem) built.getClass().getMethod("getFileSystem").invoke(built));
    }

    /** The address of a file or folder that was put there. */
    public String put(Path from, String name) throws IOException {
        org.apache.hadoop.fs.Path to = new org.apache.hadoop.fs.Path("/models/" + name);
        files.mkdirs(to.getParent());
        files.copyFromLocalFile(new org.apache.hadoop.fs.Path(from.toUri()), to);
        return files.makeQualified(to).toString();
    }

    void delete(String name) throws IOException {
        files.delete(new org.apache.hadoop.fs.Path("/models/" + name), true);
    }

    @Override
    public void close() {
        try {
            cluster.close();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
