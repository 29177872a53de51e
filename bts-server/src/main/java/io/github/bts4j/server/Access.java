package io.github.bts4j.server;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Decides which web pages may use the server. A browser sends the host name it was given in {@code Host} and the page's origin in {@code Origin}. A name
 * that an attacker resolves to 127.0.0.1 (DNS rebinding) is not a loopback name and is refused. A page of another origin is allowed only by
 * {@link ServerConfig#allowedOrigins}: it then gets CORS headers (Fetch Standard, section 3.2). Clients other than browsers send no {@code Origin}.
 */
final class Access {
    private static final Pattern LOOPBACK = Pattern.compile("localhost|127(\\.\\d{1,3}){3}|\\[::1]");
    private static final Pattern AUTHORITY = Pattern.compile("(\\[[0-9a-f:.]+]|[a-z0-9._-]+)(:\\d{0,5})?");
    private static final Pattern HEADER_NAMES = Pattern.compile("[A-Za-z0-9_, -]{0,1000}");

    private final Set<String> hosts;
    private final Set<String> origins;
    private final String own;
    private final boolean anyHost;

    Access(ServerConfig config) {
        hosts = config.allowedHosts();
        origins = config.allowedOrigins();
        own = config.host().contains(":") ? "[" + config.host().toLowerCase(Locale.ROOT) + "]" : config.host().toLowerCase(Locale.ROOT);
        anyHost = hosts.contains("*") || hosts.isEmpty() && !isLoopback(config.host());
    }

    private static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false; // nothing can listen there
        }
    }

    /**
     * Checks the host and origin, and writes the headers that let an allowed page read the response.
     *
     * @return whether it was a preflight request, which has now been answered
     * @throws ApiException with status 400 or 403 if the request is refused
     */
    boolean answered(HttpServerRequest request) {
        String host = checkHost(request);
        List<String> given = request.headers().getAll(HttpHeaders.ORIGIN);
        if (given.isEmpty()) {
            return false;
        }
        String origin = given.get(0).toLowerCase(Locale.ROOT);
        boolean same = host != null && withoutDefaultPort(origin.replaceFirst("^https?://", ""), origin).equals(withoutDefaultPort(host, origin));
        boolean listed = origins.contains("*") || origins.contains(origin);
        if (given.size() > 1 || !same && !listed) {
            throw ApiException.of(403, "origin_not_allowed", "Origin " + Fields.shortened(given.get(0)) + " may not use this server: allow it with --allow-origin");
        }
        if (!listed) {
            return false;
        }
        HttpServerResponse response = request.response();
        response.putHeader("Access-Control-Allow-Origin", given.get(0)).putHeader("Vary", "Origin").putHeader("Access-Control-Expose-Headers", "Retry-After");
        String method = request.getHeader("Access-Control-Request-Method");
        if (!request.method().equals(HttpMethod.OPTIONS) || method == null) {
            return false;
        }
        preflight(request);
        return true;
    }

    private static void preflight(HttpServerRequest request) {
        HttpServerResponse response = request.response();
        response.putHeader("Access-Control-Allow-Methods", "GET, HEAD, POST").putHeader("Access-Control-Max-Age", "600");
        response.putHeader("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
        String names = request.getHeader("Access-Control-Request-Headers");
        if (names != null && HEADER_NAMES.matcher(names).matches()) { // the key and what client libraries add; only Authorization and Content-Type are read
            response.putHeader("Access-Control-Allow-Headers", names);
        }
        if ("true".equals(request.getHeader("Access-Control-Request-Private-Network"))) {
            response.putHeader("Access-Control-Allow-Private-Network", "true");
        }
        response.setStatusCode(204).end();
    }

    /** The request's Host in lower case; null if an old client sent none. */
    private String checkHost(HttpServerRequest request) {
        List<String> given = request.headers().getAll(HttpHeaders.HOST);
        String host = given.size() == 1 ? given.get(0).strip().toLowerCase(Locale.ROOT) : "";
        if (given.isEmpty() && request.version() == io.vertx.core.http.HttpVersion.HTTP_1_0) {
            return null;
        }
        if (!AUTHORITY.matcher(host).matches()) {
            throw ApiException.of(400, "invalid_host", "The request must have one Host header, such as localhost:8080");
        }
        String name = host.replaceFirst(":\\d*$", "").replaceFirst("\\.$", "");
        if (!anyHost && !LOOPBACK.matcher(name).matches() && !name.equals(own) && !hosts.contains(name)) {
            throw ApiException.of(403, "host_not_allowed", "Host " + Fields.shortened(given.get(0)) + " is not a name of this server, which listens on "
                    + own + ": use that, or allow the name with --allow-host");
        }
        return host;
    }

    private static String withoutDefaultPort(String authority, String origin) {
        return authority.replaceFirst(origin.startsWith("https:") ? ":443$" : ":80$", "");
    }
}
