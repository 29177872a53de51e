package io.github.bts4j.server;

import io.github.bts4j.core.support.Hashes;
import io.github.bts4j.core.support.Secrets;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Who may use the server, with which experts, and how much. A client without one of the keys is refused. An expert that a key may not use is switched off for it; a request that
 * names it is refused with status 403, and one beyond a quota with 429.
 *
 * @param keys the API keys
 */
public record ServerPolicy(List<Key> keys) {
    /**
     * Checks and copies the keys.
     *
     * @param keys the API keys, at least one
     * @throws IllegalArgumentException if there is none, or two have one name or one secret
     */
    public ServerPolicy {
        keys = List.copyOf(keys);
        if (keys.isEmpty()) {
            throw new IllegalArgumentException("keys is empty: a policy needs at least one key, otherwise nobody could use the server");
        }
        Set<String> seen = new HashSet<>();
        for (Key key : keys) {
            if (!seen.add(key.name)) {
                throw new IllegalArgumentException("keys has the name '" + key.name + "' twice: give every key its own name");
            }
            if (!seen.add(key.sha256)) {
                throw new IllegalArgumentException("keys has the secret of '" + key.name + "' twice: give every client its own key");
            }
        }
    }

    /**
     * An API key.
     *
     * @param name what the key is called in logs and metrics: up to 64 letters, digits and {@code . _ @ -}
     * @param sha256 SHA-256 of the secret that clients send, 64 hexadecimal digits
     * @param experts the experts that it may use; none for the hub alone; absent for all
     * @param quota how much it may use
     */
    public record Key(String name, String sha256, Optional<Set<String>> experts, Quota quota) {
        /**
         * Checks the values.
         *
         * @param name what the key is called
         * @param sha256 SHA-256 of the secret
         * @param experts the experts that it may use
         * @param quota how much it may use
         * @throws IllegalArgumentException naming the value that is out of its range
         */
        public Key {
            if (!name.matches("[A-Za-z0-9._@-]{1,64}")) {
                throw new IllegalArgumentException("name = '" + Fields.shortened(name) + "' must be 1 to 64 letters, digits, ., _, @ and -");
            }
            if (!sha256.matches("[0-9A-Fa-f]{64}")) {
                throw new IllegalArgumentException("sha256 of '" + name + "' must be 64 hexadecimal digits, as sha256sum prints them");
            }
            sha256 = sha256.toLowerCase(java.util.Locale.ROOT);
            experts = experts.map(names -> java.util.Collections.unmodifiableSet(new LinkedHashSet<>(new TreeSet<>(names))));
        }

        /**
         * A key for all experts without limits.
         *
         * @param name what the key is called
         * @param secret what clients send as {@code Authorization: Bearer SECRET}
         * @return the key
         * @throws IllegalArgumentException if the secret is blank or has characters that a header does not carry, or the name has other characters
         */
        public static Key of(String name, String secret) {
            if (secret.isBlank()) {
                throw new IllegalArgumentException("secret of '" + name + "' is empty: give the key that clients send");
            }
            if (!Secrets.fitsHeader(secret)) {
                throw new IllegalArgumentException("secret of '" + name + "' has a space, a line break or a character beyond ASCII, which clients cannot send in a header: use letters, digits and signs");
            }
            return new Key(name, Hashes.sha256(secret), Optional.empty(), Quota.UNLIMITED);
        }

        /**
         * A copy for some experts.
         *
         * @param names the experts that it may use; none for the hub alone
         * @return the copy
         */
        public Key withExperts(Set<String> names) {
            return new Key(name, sha256, Optional.of(names), quota);
        }

        /**
         * A copy with other limits.
         *
         * @param other how much it may use
         * @return the copy
         */
        public Key withQuota(Quota other) {
            return new Key(name, sha256, experts, other);
        }

        /** All values but the secret's hash. */
        @Override
        public String toString() {
            return "Key[name=" + name + ", experts=" + experts.map(Set::toString).orElse("all") + ", quota=" + quota + "]";
        }
    }

    /**
     * How much a key may use. A minute's allowance grows back evenly, second by second.
     *
     * @param requestsPerMinute POST requests
     * @param tokensPerMinute tokens of prompts and answers; a request is accepted while some are left, and what it uses beyond them is missing afterwards
     * @param concurrentRequests POST requests that run or wait at the same time
     */
    public record Quota(int requestsPerMinute, int tokensPerMinute, int concurrentRequests) {
        /** No limits. */
        public static final Quota UNLIMITED = new Quota(Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE);

        /**
         * Checks the values.
         *
         * @param requestsPerMinute requests
         * @param tokensPerMinute tokens of prompts and answers
         * @param concurrentRequests requests at the same time
         * @throws IllegalArgumentException naming the value that is below 1
         */
        public Quota {
            require("requestsPerMinute", requestsPerMinute);
            require("tokensPerMinute", tokensPerMinute);
            require("concurrentRequests", concurrentRequests);
        }

        private static void require(String name, int value) {
            if (value < 1) {
                throw new IllegalArgumentException(name + " = " + value + " must be at least 1");
            }
        }
    }
}
