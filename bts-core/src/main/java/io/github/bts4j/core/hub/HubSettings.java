package io.github.bts4j.core.hub;

import io.github.bts4j.core.HubException;
import io.github.bts4j.core.support.Secrets;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where Hugging Face's tools keep what they download, and how they reach the Hub: the environment variables of the Python package huggingface_hub.
 *
 * @param cache the folder of the cache
 * @param endpoint the Hub's address
 * @param token the user's token; none for public models
 * @param offline whether downloads are forbidden
 */
public record HubSettings(Path cache, URI endpoint, Optional<String> token, boolean offline) {
    /**
     * Checks the token.
     *
     * @param cache the folder of the cache
     * @param endpoint the Hub's address
     * @param token the user's token
     * @param offline whether downloads are forbidden
     * @throws HubException if the token has spaces, line breaks or other characters that no token has; the message does not repeat it
     */
    public HubSettings {
        if (!token.map(Secrets::fitsHeader).orElse(true)) {
            throw new HubException("The token for the Hub has a space, a line break or a character that no token has: set HF_TOKEN, or the token's file, to the token alone");
        }
    }

    /**
     * The settings of this process.
     *
     * @return settings by HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME, HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH and HF_HUB_OFFLINE, or their defaults
     */
    public static HubSettings ofEnvironment() {
        return of(System.getenv(), Path.of(System.getProperty("user.home")));
    }

    /**
     * The settings that variables give.
     *
     * @param environment names to values
     * @param home the user's folder
     * @return the settings
     * @throws HubException if the token's file cannot be read, or the address is none
     */
    public static HubSettings of(Map<String, String> environment, Path home) {
        Path xdg = path(environment, home, "XDG_CACHE_HOME").orElse(home.resolve(".cache"));
        Path root = path(environment, home, "HF_HOME").orElse(xdg.resolve("huggingface"));
        Path cache = path(environment, home, "HF_HUB_CACHE").or(() -> path(environment, home, "HUGGINGFACE_HUB_CACHE")).orElse(root.resolve("hub"));
        return new HubSettings(cache, endpoint(text(environment, "HF_ENDPOINT").orElse("https://huggingface.co")),
                token(environment, path(environment, home, "HF_TOKEN_PATH").orElse(root.resolve("token"))), isTrue(environment, "HF_HUB_OFFLINE") || isTrue(environment, "TRANSFORMERS_OFFLINE"));
    }

    private static Optional<String> text(Map<String, String> environment, String name) {
        return Optional.ofNullable(environment.get(name)).map(String::strip).filter(value -> !value.isEmpty());
    }

    private static Optional<Path> path(Map<String, String> environment, Path home, String name) {
        return text(environment, name).map(value -> value.equals("~") || value.startsWith("~/") ? home.resolve(value.substring(Math.min(2, value.length()))) : Path.of(value));
    }

    private static boolean isTrue(Map<String, String> environment, String name) {
        return text(environment, name).map(value -> Stream.of("1", "ON", "YES", "TRUE").anyMatch(value::equalsIgnoreCase)).orElse(false);
    }

    private static URI endpoint(String text) {
        try {
            URI uri = URI.create(text.replaceFirst("/+$", ""));
            if (uri.getHost() != null && ("https".equals(uri.getScheme()) || "http".equals(uri.getScheme()))) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // refused below
        }
        throw new HubException("HF_ENDPOINT = " + text + " is not an address such as https://huggingface.co");
    }

    private static Optional<String> token(Map<String, String> environment, Path file) {
        Optional<String> given = text(environment, "HF_TOKEN").or(() -> text(environment, "HUGGING_FACE_HUB_TOKEN"));
        if (given.isPresent() || !Files.isRegularFile(file)) {
            return given;
        }
        try {
            return Optional.of(Files.readString(file).strip()).filter(token -> !token.isEmpty());
        } catch (IOException e) {
            throw new HubException("The token's file " + file + " cannot be read: set HF_TOKEN, or make it readable", e);
        }
    }

    /** Without the token. */
    @Override
    public String toString() {
        return "cache " + cache + ", endpoint " + endpoint + (token.isPresent() ? ", with a token" : "") + (offline ? ", offline" : "");
    }
}
