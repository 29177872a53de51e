package io.github.bts4j.core.hub;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.HubException;
import io.github.bts4j.core.support.JsonReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Collectors;

/** The Hub's protocol: what a revision holds, what a file is, and its bytes. Thread-safe. */
final class HubClient {
    private static final int ATTEMPTS = 5;
    private static final int REDIRECTS = 5;
    private static final int MAX_INFO = 16 << 20;
    private static final int BUFFER = 1 << 16;
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final long PAUSE_MILLIS = 100;
    private static final long MOST_WAIT_MILLIS = 60_000;
    private static final int BUSY = 429;

    /** How often a file, or a description, is asked for, whatever the reason of each repetition is. */
    private static final class Attempts {
        private int left = ATTEMPTS;

        /** Waits before a repetition, unless this was the last attempt. */
        boolean again(long milliseconds) throws IOException {
            left--;
            if (left <= 0) {
                return false;
            }
            pause(milliseconds);
            return true;
        }

        /** Twice as long before each repetition. */
        long pauseMillis() {
            return PAUSE_MILLIS << (ATTEMPTS - left);
        }
    }

    private final HubSettings settings;
    private final HttpClient http = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NEVER).connectTimeout(TIMEOUT).build();

    HubClient(HubSettings settings) {
        this.settings = settings;
    }

    /** What the Hub says about a revision: its commit and its files. */
    JsonNode info(HubModel model) throws IOException {
        URI uri = URI.create(settings.endpoint() + "/api/models/" + model.id() + "/revision/" + URLEncoder.encode(model.revision(), StandardCharsets.UTF_8));
        HttpResponse<InputStream> response = follow(uri, "GET", 0, new Attempts());
        try (InputStream body = response.body()) {
            require(response, 200, model, "");
            byte[] content = body.readNBytes(MAX_INFO + 1);
            if (content.length > MAX_INFO) {
                throw new HubException(model + ": the Hub's description has more than " + MAX_INFO + " bytes");
            }
            return JsonReader.LENIENT.object(Path.of(model.toString().replace(':', ' ')), content, (file, message, cause) -> new HubException(model + ": the Hub's description " + message, cause));
        }
    }

    /** A file's identity; the Hub gives it before it redirects to where the bytes are. */
    HubBlob head(HubModel model, String commit, String name) throws IOException {
        URI uri = URI.create(settings.endpoint() + "/" + model.id() + "/resolve/" + commit + "/" + encoded(name));
        Attempts attempts = new Attempts();
        for (int i = 0; i < REDIRECTS; i++) {
            HttpResponse<InputStream> response = send(uri, "HEAD", 0, attempts);
            response.body().close();
            boolean redirected = response.statusCode() / 100 == 3;
            URI next = redirected ? uri.resolve(location(response, uri)) : uri;
            boolean same = Objects.equals(next.getAuthority(), uri.getAuthority());
            if (!redirected) {
                require(response, 200, model, name);
            }
            if (redirected && same && response.headers().firstValue("X-Linked-Etag").isEmpty()) {
                uri = next; // renamed repositories
                continue;
            }
            String etag = header(response, "X-Linked-Etag", header(response, "ETag", "")).replaceFirst("^W/", "").replace("\"", "");
            String size = header(response, "X-Linked-Size", redirected ? "-1" : header(response, "Content-Length", "-1"));
            return new HubBlob(name, etag, size.matches("[0-9]{1,18}") ? Long.parseLong(size) : -1, redirected ? next : uri);
        }
        throw new HubException(name + " of " + model + ": more than " + REDIRECTS + " redirections");
    }

    private static String header(HttpResponse<?> response, String name, String otherwise) {
        return response.headers().firstValue(name).orElse(otherwise);
    }

    private static String encoded(String name) {
        return Arrays.stream(name.split("/")).map(part -> URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20")).collect(Collectors.joining("/"));
    }

    /** Downloads a file, from where an earlier attempt ended; checks its size and hash. */
    void download(HubModel model, HubBlob blob, Path incomplete) throws IOException {
        IOException last = null;
        boolean damaged = false;
        int broken = 0;
        Attempts attempts = new Attempts();
        do {
            broken++;
            long have = Files.exists(incomplete) ? Files.size(incomplete) : 0;
            if (have > blob.size()) {
                Files.delete(incomplete);
                have = 0;
            }
            try {
                if (have < blob.size() || have == 0) {
                    append(model, blob, incomplete, have, attempts);
                }
                if (Files.size(incomplete) == blob.size() && blob.matches(incomplete)) {
                    return;
                }
                if (Files.size(incomplete) >= blob.size()) {
                    damaged = true;
                    Files.delete(incomplete);
                }
            } catch (InterruptedIOException e) {
                throw e;
            } catch (IOException e) {
                last = e;
            }
        } while (attempts.again(attempts.pauseMillis()));
        if (damaged) {
            throw new HubException(blob.name() + " of " + model + " is damaged: its hash is not " + blob.etag() + ", the one that the Hub gives; try again, or another network");
        }
        throw new HubException(blob.name() + " of " + model + " broke off" + (broken == 1 ? "" : " " + broken + " times") + ": run the command again, it resumes where it ended", last);
    }

    private void append(HubModel model, HubBlob blob, Path incomplete, long have, Attempts attempts) throws IOException {
        HttpResponse<InputStream> response = follow(blob.address(), "GET", have, attempts);
        try (InputStream in = response.body()) {
            if (response.statusCode() == 416) { // what is there does not belong to this file
                Files.deleteIfExists(incomplete);
                return;
            }
            if (response.statusCode() / 100 == 5) {
                throw new IOException("status " + response.statusCode());
            }
            boolean resumed = response.statusCode() == 206 && header(response, "Content-Range", "").startsWith("bytes " + have + "-");
            require(response, resumed ? 206 : 200, model, blob.name());
            try (OutputStream out = resumed ? Files.newOutputStream(incomplete, StandardOpenOption.CREATE, StandardOpenOption.APPEND) : Files.newOutputStream(incomplete)) {
                long room = blob.size() - (resumed ? have : 0);
                byte[] buffer = new byte[BUFFER];
                for (int count = in.read(buffer); count >= 0 && room >= 0; count = in.read(buffer)) {
                    out.write(buffer, 0, count);
                    room -= count;
                }
            }
        }
    }

    private static void pause(long milliseconds) throws IOException {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting to download again");
        }
    }

    private HttpResponse<InputStream> follow(URI uri, String method, long from, Attempts attempts) throws IOException {
        URI at = uri;
        for (int i = 0; i <= REDIRECTS; i++) {
            HttpResponse<InputStream> response = send(at, method, from, attempts);
            if (response.statusCode() / 100 != 3) {
                return response;
            }
            response.body().close();
            at = at.resolve(location(response, at));
        }
        throw new HubException(uri + ": more than " + REDIRECTS + " redirections");
    }

    private static URI location(HttpResponse<?> response, URI from) {
        try {
            return URI.create(response.headers().firstValue("Location").orElseThrow());
        } catch (IllegalArgumentException | java.util.NoSuchElementException e) {
            throw new HubException(from + " redirects to no address", e);
        }
    }

    /** Sends again what a busy server refuses, when it allows it. */
    private HttpResponse<InputStream> send(URI uri, String method, long from, Attempts attempts) throws IOException {
        while (true) {
            HttpResponse<InputStream> response = sendOnce(uri, method, from);
            String after = header(response, "Retry-After", "").strip();
            long wait = after.matches("[0-9]{1,9}") ? Long.parseLong(after) * 1000 : attempts.pauseMillis();
            if (response.statusCode() != BUSY || wait > MOST_WAIT_MILLIS || !attempts.again(wait)) {
                return response;
            }
            response.body().close();
        }
    }

    /** The token goes to the Hub alone. */
    private HttpResponse<InputStream> sendOnce(URI uri, String method, long from) throws IOException {
        HttpRequest.Builder request;
        try {
            request = HttpRequest.newBuilder(uri).timeout(TIMEOUT).method(method, HttpRequest.BodyPublishers.noBody()).header("User-Agent", "bts4j");
        } catch (IllegalArgumentException e) {
            throw new HubException("The Hub redirects to " + uri + ", which is no address", e);
        }
        if (uri.getAuthority().equals(settings.endpoint().getAuthority()) && uri.getScheme().equals(settings.endpoint().getScheme())) {
            settings.token().ifPresent(token -> request.header("Authorization", "Bearer " + token));
        }
        if (from > 0) {
            request.header("Range", "bytes=" + from + "-");
        }
        try {
            return http.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while downloading " + uri);
        }
    }

    private void require(HttpResponse<?> response, int expected, HubModel model, String file) {
        int status = response.statusCode();
        if (status == expected) {
            return;
        }
        String what = file.isEmpty() ? model.toString() : file + " of " + model;
        String code = header(response, "X-Error-Code", "");
        boolean token = settings.token().isPresent();
        if (code.equals("GatedRepo")) {
            throw new HubException(what + " is gated: accept its terms on " + settings.endpoint() + "/" + model.id() + (token ? " with the account of your token" : ", and set HF_TOKEN"));
        }
        if (code.equals("RevisionNotFound")) {
            throw new HubException(model.id() + " has no revision '" + model.revision() + "' on the Hub: give a branch, a tag or a whole commit");
        }
        if (code.equals("RepoNotFound") || status == 401 || status == 403) {
            throw new HubException(what + (status == 403 ? " may not be read" : " does not exist, or is private") + " (status " + status + "): " + (token
                    ? "check the name, and what your token may read" : "check the name; for a private model set HF_TOKEN, or log in with Hugging Face's own tools"));
        }
        if (status == BUSY) {
            throw new HubException(what + ": the Hub allows no more requests now (status 429)" + response.headers().firstValue("Retry-After").filter(after -> after.matches("[0-9]{1,9}"))
                    .map(after -> ": try again in " + after + " seconds").orElse(": try again later") + (token ? "" : ", or set HF_TOKEN, with which more are allowed"));
        }
        throw new HubException(what + (status == 404 ? " is not on the Hub" : ": the Hub answered with status " + status) + " (" + settings.endpoint() + ")");
    }
}
