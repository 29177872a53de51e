package io.github.bts4j.core.hub;

import io.github.bts4j.core.HubException;
import io.github.bts4j.core.support.Hashes;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;

/**
 * A file on the Hub.
 *
 * @param name its name in the repository
 * @param etag its identity: the SHA-256 of a large file, git's SHA-1 of any other; the name of the blob in the cache
 * @param size bytes
 * @param address where its bytes are
 */
record HubBlob(String name, String etag, long size, URI address) {
    private static final int SHA256_DIGITS = 64;
    private static final int BUFFER = 1 << 16;

    HubBlob {
        if (!etag.matches("[0-9a-f]{40}|[0-9a-f]{64}")) {
            throw new HubException("The Hub gave '" + etag + "' as the identity of " + name + ", which is neither a SHA-256 nor a SHA-1: is HF_ENDPOINT a Hub?");
        }
        if (size < 0) {
            throw new HubException("The Hub did not say how large " + name + " is");
        }
    }

    /** Whether a file's bytes are those of the blob. */
    boolean matches(Path file) throws IOException {
        boolean large = etag.length() == SHA256_DIGITS;
        MessageDigest digest = large ? Hashes.sha256() : Hashes.sha1();
        if (!large) { // as git hashes an object
            digest.update(("blob " + Files.size(file) + "\0").getBytes(StandardCharsets.US_ASCII));
        }
        byte[] buffer = new byte[BUFFER];
        try (InputStream in = Files.newInputStream(file)) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                digest.update(buffer, 0, count);
            }
        }
        return Hashes.hex(digest).equals(etag);
    }
}
