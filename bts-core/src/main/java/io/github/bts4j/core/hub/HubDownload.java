package io.github.bts4j.core.hub;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.HubException;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * Fetches the files of a model that are missing into the cache, in the layout of {@link HubCache}. Only files that a model needs are fetched: configuration, tokenizer, chat templates, safetensors.
 *
 * <p>An interrupted download is resumed where it ended, and every file is compared with the SHA-256, or git's SHA-1, that the Hub gives for it before it appears in the cache. The token is sent to the Hub alone, not
 * to the servers that it redirects to. Thread-safe; one download of a file at a time in this process.
 */
public final class HubDownload {
    private final HubSettings settings;
    private final HubCache cache;
    private final HubClient client;
    private final Consumer<String> progress;

    /**
     * Prepares downloads; nothing is sent yet.
     *
     * @param settings cache, address and token
     * @param progress takes a line for each file that is fetched
     */
    public HubDownload(HubSettings settings, Consumer<String> progress) {
        this.settings = settings;
        this.cache = HubCache.of(settings);
        this.client = new HubClient(settings);
        this.progress = progress;
    }

    /**
     * Brings a model's revision up to what the Hub has, and finds it.
     *
     * @param model the model
     * @return its folder in the cache
     * @throws IOException if the Hub cannot be reached, or a file not be written
     * @throws HubException if the Hub refuses, does not know the model, or gives damaged files
     */
    public Path folder(HubModel model) throws IOException {
        if (settings.offline()) {
            throw new HubException("HF_HUB_OFFLINE is set, which forbids to download " + model);
        }
        JsonNode info = client.info(model);
        String commit = info.path("sha").asText();
        if (!HubModel.isCommit(commit)) {
            throw new HubException(model + ": the Hub gave '" + commit + "' as its commit, which is none");
        }
        Collection<String> all = new TreeSet<>();
        info.path("siblings").forEach(file -> all.add(file.path("rfilename").asText()));
        all.removeIf(name -> !HubFiles.isSafe(name));
        Path snapshot = Files.createDirectories(cache.repository(model).resolve("snapshots").resolve(commit));
        fetch(model, commit, HubFiles.first(all), snapshot);
        fetch(model, commit, HubFiles.shards(snapshot), snapshot);
        if (!model.isCommit()) {
            Path ref = cache.repository(model).resolve("refs").resolve(model.revision());
            Files.createDirectories(ref.getParent());
            AtomicFiles.write(ref, commit);
        }
        List<String> missing = HubFiles.missing(snapshot);
        if (!missing.isEmpty()) {
            throw new HubException(model + " has no " + String.join(", ", missing) + " on the Hub: only models in safetensors format are read");
        }
        return snapshot;
    }

    private void fetch(HubModel model, String commit, Collection<String> names, Path snapshot) throws IOException {
        for (String name : names) {
            if (!Files.isRegularFile(snapshot.resolve(name))) {
                synchronized (HubDownload.class) {
                    fetch(model, commit, name, snapshot);
                }
            }
        }
    }

    private void fetch(HubModel model, String commit, String name, Path snapshot) throws IOException {
        HubBlob blob = client.head(model, commit, name);
        Path blobs = Files.createDirectories(cache.repository(model).resolve("blobs"));
        Path target = blobs.resolve(blob.etag());
        if (!Files.isRegularFile(target)) {
            progress.accept("Downloading " + name + " of " + model + " (" + blob.size() + " bytes)");
            Path incomplete = blobs.resolve(blob.etag() + ".incomplete");
            client.download(model, blob, incomplete);
            Files.move(incomplete, target, StandardCopyOption.ATOMIC_MOVE);
        }
        link(snapshot.resolve(name), target);
    }

    /** A relative link, as Hugging Face's tools make it; a copy where there are none. */
    private static void link(Path file, Path blob) throws IOException {
        Files.createDirectories(file.getParent());
        Files.deleteIfExists(file); // a link to a blob that is gone
        try {
            Files.createSymbolicLink(file, file.getParent().relativize(blob));
        } catch (UnsupportedOperationException | IOException e) {
            Files.copy(blob, file);
        }
    }
}
