package io.github.bts4j.core.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.support.Hashes;
import io.github.bts4j.core.support.JsonReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The Hub's protocol and, at another address, the servers that it redirects to; serves the repository of hub/cache.json as owner/tiny, with faults on request. */
final class HubStub implements AutoCloseable {
    static final JsonNode GOLDEN;
    static final String TOKEN = "hf_secret";

    static {
        try {
            GOLDEN = JsonReader.STRICT.object(Path.of(System.getProperty("bts4j.testData"), "hub/cache.json"), ModelFormatException::new);
        } catch (IOException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final HttpServer hub = server();
    private final HttpServer cdn = server();
    /** What was asked for: method, path, range and whether a token came with it. */
    final List<String> requests = Collections.synchronizedList(new ArrayList<>());
    /** How many answers of the CDN break off in the middle. */
    int breaks;
    /** How many answers of the CDN have a wrong byte. */
    int damages;
    /** Whether ranges are ignored. */
    boolean wholeAnswers;
    /** How many answers of the CDN are 429 before each of those that break off. */
    int busyBeforeBreaks;
    private int busyLeft = -1;
    /** Status without a token, or with a wrong one. */
    int forbidden;
    String errorCode = "";
    /** How many answers of the Hub are 429, with this Retry-After. */
    int busy;
    String retryAfter = "0";
    /** Where large files are said to be; empty for the CDN. */
    String location = "";

    HubStub() throws IOException {
        hub.createContext("/", this::answerHub);
        cdn.createContext("/", this::answerCdn);
        hub.start();
        cdn.start();
    }

    private static HttpServer server() {
        try {
            return HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    String address() {
        return "http://127.0.0.1:" + hub.getAddress().getPort();
    }

    private static Map<String, byte[]> files(String commit) {
        Map<String, byte[]> files = new TreeMap<>();
        GOLDEN.path("repositories").path(commit).properties().forEach(file -> files.put(file.getKey(), Base64.getDecoder().decode(file.getValue().asText())));
        return files;
    }

    private static boolean isLarge(String name) {
        return name.endsWith(".safetensors") || name.endsWith(".bin");
    }

    private static String etag(String name, byte[] content) {
        if (isLarge(name)) {
            return Hashes.sha256(content);
        }
        MessageDigest digest = Hashes.sha1();
        digest.update(("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII));
        digest.update(content);
        return Hashes.hex(digest);
    }

    private void log(String where, HttpExchange exchange) {
        String range = exchange.getRequestHeaders().getFirst("Range");
        requests.add(where + " " + exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath() + (range == null ? "" : " " + range)
                + (exchange.getRequestHeaders().containsKey("Authorization") ? " with token" : ""));
    }

    private void answerHub(HttpExchange exchange) throws IOException {
        log("hub", exchange);
        String path = exchange.getRequestURI().getPath();
        if (busy > 0) {
            busy--;
            exchange.getResponseHeaders().set("Retry-After", retryAfter);
            answer(exchange, 429, new byte[0]);
            return;
        }
        if (forbidden != 0 && !("Bearer " + TOKEN).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            if (!errorCode.isEmpty()) {
                exchange.getResponseHeaders().set("X-Error-Code", errorCode);
            }
            answer(exchange, forbidden, new byte[0]);
            return;
        }
        if (path.startsWith("/api/models/owner/tiny/revision/")) {
            String revision = path.substring("/api/models/owner/tiny/revision/".length());
            answerInfo(exchange, GOLDEN.path("commits").path(revision).asText(revision));
        } else if (path.startsWith("/owner/tiny/resolve/")) {
            String[] parts = path.substring("/owner/tiny/resolve/".length()).split("/", 2);
            answerFile(exchange, parts[0], parts[1]);
        } else {
            exchange.getResponseHeaders().set("X-Error-Code", "RepoNotFound");
            answer(exchange, 401, new byte[0]);
        }
    }

    private void answerInfo(HttpExchange exchange, String commit) throws IOException {
        if (files(commit).isEmpty()) {
            exchange.getResponseHeaders().set("X-Error-Code", "RevisionNotFound");
            answer(exchange, 404, new byte[0]);
            return;
        }
        ObjectNode info = JsonReader.object().put("sha", commit);
        files(commit).keySet().forEach(name -> info.withArray("siblings").addObject().put("rfilename", name));
        info.withArray("siblings").addObject().put("rfilename", "../../outside.json");
        answer(exchange, 200, JsonReader.pretty(info));
    }

    private void answerFile(HttpExchange exchange, String commit, String name) throws IOException {
        byte[] content = files(commit).get(name);
        if (content == null) {
            answer(exchange, 404, new byte[0]);
            return;
        }
        String etag = '"' + etag(name, content) + '"';
        exchange.getResponseHeaders().set("X-Repo-Commit", commit);
        if (isLarge(name)) {
            exchange.getResponseHeaders().set("X-Linked-Etag", etag);
            exchange.getResponseHeaders().set("X-Linked-Size", "" + content.length);
            exchange.getResponseHeaders().set("Location", !location.isEmpty() ? location : "http://127.0.0.1:" + cdn.getAddress().getPort() + "/" + commit + "/" + name);
            answer(exchange, 302, new byte[0]);
        } else {
            exchange.getResponseHeaders().set("ETag", etag);
            answer(exchange, 200, content);
        }
    }

    private void answerCdn(HttpExchange exchange) throws IOException {
        log("cdn", exchange);
        busyLeft = busyLeft < 0 ? busyBeforeBreaks : busyLeft;
        if (breaks > 0 && busyLeft-- > 0) { // after the last one, 0, the answer breaks off
            exchange.getResponseHeaders().set("Retry-After", retryAfter);
            answer(exchange, 429, new byte[0]);
            return;
        }
        String[] parts = exchange.getRequestURI().getPath().substring(1).split("/", 2);
        byte[] content = files(parts[0]).get(parts[1]);
        String range = exchange.getRequestHeaders().getFirst("Range");
        int from = range == null || wholeAnswers ? 0 : Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
        byte[] rest = Arrays.copyOfRange(content, from, content.length);
        if (damages > 0) {
            damages--;
            rest[rest.length - 1] ^= 1;
        }
        if (from > 0) {
            exchange.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
        }
        if (breaks > 0) {
            breaks--;
            exchange.sendResponseHeaders(from > 0 ? 206 : 200, rest.length);
            exchange.getResponseBody().write(rest, 0, rest.length / 2);
            exchange.getResponseBody().flush();
            exchange.close(); // before all of it
            return;
        }
        answer(exchange, from > 0 ? 206 : 200, rest);
    }

    private static void answer(HttpExchange exchange, int status, byte[] content) throws IOException {
        boolean head = exchange.getRequestMethod().equals("HEAD");
        if (head) {
            exchange.getResponseHeaders().set("Content-Length", "" + content.length);
        }
        exchange.sendResponseHeaders(status, head || content.length == 0 ? -1 : content.length);
        if (!head) {
            exchange.getResponseBody().write(content);
        }
        exchange.close();
    }

    @Override
    public void close() {
        hub.stop(0);
        cdn.stop(0);
    }
}
