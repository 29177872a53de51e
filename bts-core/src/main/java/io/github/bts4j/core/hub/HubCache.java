package io.github.bts4j.core.hub;

import io.github.bts4j.core.HubException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The cache that Hugging Face's tools write, and share: for each repository a folder {@code models--OWNER--NAME} with {@code refs/REVISION}, which holds a commit, {@code snapshots/COMMIT/FILE}, and the
 * {@code blobs} that snapshots link to. Reads only. Immutable and thread-safe.
 */
public final class HubCache {
    private final HubSettings settings;

    private HubCache(HubSettings settings) {
        this.settings = settings;
    }

    /**
     * A cache.
     *
     * @param settings where it is
     * @return the cache, which need not exist
     */
    public static HubCache of(HubSettings settings) {
        return new HubCache(settings);
    }

    /**
     * The cache of this process's environment.
     *
     * @return the cache, which need not exist
     */
    public static HubCache ofEnvironment() {
        return of(HubSettings.ofEnvironment());
    }

    /**
     * Finds a model.
     *
     * @param model the model
     * @return its folder, whole: everything that opens a checkpoint's folder takes it
     * @throws IOException if a file cannot be read
     * @throws HubException if the cache does not hold it whole
     */
    public Path folder(HubModel model) throws IOException {
        Path repository = repository(model);
        Optional<String> commit = commit(model);
        Optional<Path> snapshot = commit.map(id -> repository.resolve("snapshots").resolve(id)).filter(Files::isDirectory);
        if (snapshot.isEmpty()) {
            boolean other = Files.isDirectory(repository.resolve("snapshots"));
            throw new HubException(model + " is not in the cache " + settings.cache() + (other ? ", which has other revisions of it" : "") + ": " + fix());
        }
        List<String> missing = HubFiles.missing(snapshot.get());
        if (!missing.isEmpty()) {
            throw new HubException(model + " is not whole in the cache " + settings.cache() + ": " + String.join(", ", missing) + (missing.size() == 1 ? " is" : " are") + " missing; " + fix());
        }
        return snapshot.get();
    }

    private static String fix() {
        return "--download fetches it (HubDownload in Java), and HF_HUB_CACHE or HF_HOME names another cache";
    }

    /** The folder of a repository. */
    Path repository(HubModel model) {
        return settings.cache().resolve("models--" + model.id().replace("/", "--"));
    }

    /** The commit that the cache knows for a revision. */
    Optional<String> commit(HubModel model) throws IOException {
        if (model.isCommit()) {
            return Optional.of(model.revision());
        }
        Path ref = repository(model).resolve("refs").resolve(model.revision());
        if (!Files.isRegularFile(ref)) {
            return Optional.empty();
        }
        String commit = Files.readString(ref, StandardCharsets.ISO_8859_1).strip(); // any bytes, which are no commit
        if (!HubModel.isCommit(commit)) {
            throw new HubException(ref + " does not hold a commit of 40 hexadecimal digits: remove it, and download the model again");
        }
        return Optional.of(commit);
    }
}
