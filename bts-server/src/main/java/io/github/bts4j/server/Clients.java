package io.github.bts4j.server;

import io.github.bts4j.core.support.Hashes;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.LongSupplier;

/** Finds the client that a request's API key belongs to. All keys are compared, each in the same time whatever its value. */
final class Clients {
    private static final String SCHEME = "bearer ";

    private static final Client ANYONE = Client.unlimited("");

    private final List<Known> known = new ArrayList<>();

    private record Known(byte[] sha256, Client client) {}

    Clients(ServerConfig config, LongSupplier nanos) {
        config.apiKey().ifPresent(secret -> known.add(new Known(bytes(Hashes.sha256(secret)), Client.unlimited("api-key"))));
        config.policy().ifPresent(policy -> policy.keys().forEach(key -> known.add(new Known(bytes(key.sha256()), Client.of(key, nanos)))));
    }

    private static byte[] bytes(String hash) {
        return hash.getBytes(StandardCharsets.US_ASCII);
    }

    /**
     * The request's client.
     *
     * @throws ApiException with status 401 if keys are needed and the request has none of them
     */
    Client of(HttpServerRequest request) {
        if (known.isEmpty()) {
            return ANYONE;
        }
        String given = request.getHeader(HttpHeaders.AUTHORIZATION);
        String secret = given != null && given.toLowerCase(Locale.ROOT).startsWith(SCHEME) ? given.substring(SCHEME.length()) : "";
        byte[] hash = bytes(Hashes.sha256(secret));
        Client found = null;
        for (Known each : known) {
            if (MessageDigest.isEqual(each.sha256, hash) && !secret.isBlank()) {
                found = each.client;
            }
        }
        if (found == null) {
            throw ApiException.of(401, "invalid_api_key", "The API key is missing or wrong: send it as 'Authorization: Bearer KEY'");
        }
        return found;
    }
}
