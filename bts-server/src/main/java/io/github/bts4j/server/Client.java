package io.github.bts4j.server;

import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/** Who sends a request: a key of the policy, or anyone. Counts what it uses. Thread-safe. */
final class Client {
    private final String name;
    private final Predicate<String> experts;
    private final ServerPolicy.Quota quota;
    private final Allowance requests;
    private final Allowance tokens;
    private int running;

    private Client(String name, Predicate<String> experts, ServerPolicy.Quota quota, LongSupplier nanos) {
        this.name = name;
        this.experts = experts;
        this.quota = quota;
        this.requests = new Allowance(quota.requestsPerMinute(), nanos);
        this.tokens = new Allowance(quota.tokensPerMinute(), nanos);
    }

    static Client of(ServerPolicy.Key key, LongSupplier nanos) {
        return new Client(key.name(), expert -> key.experts().map(mine -> mine.contains(expert)).orElse(true), key.quota(), nanos);
    }

    /** May do everything. */
    static Client unlimited(String name) {
        return new Client(name, any -> true, ServerPolicy.Quota.UNLIMITED, System::nanoTime);
    }

    /** The key's name; empty if there are no keys. */
    String name() {
        return name;
    }

    /** Those of a model's experts that it may use, in their order. */
    List<String> allowed(List<String> all) {
        return all.stream().filter(experts).toList();
    }

    /**
     * Begins a request, unless a quota is used up. {@link #leave} must follow.
     *
     * @throws ApiException with status 429 and the time after which to try again
     */
    synchronized void enter() {
        if (running >= quota.concurrentRequests()) {
            throw ApiException.quota("concurrent_requests", "The key " + name + " has " + running + " requests running, the most that it may have at the same time: wait for one to end", 1);
        }
        refuse("requests_per_minute", quota.requestsPerMinute() + " requests", requests.secondsUntilOne());
        refuse("tokens_per_minute", quota.tokensPerMinute() + " tokens", tokens.secondsUntilOne());
        requests.use(1);
        running++;
    }

    private void refuse(String code, String limit, long seconds) {
        if (seconds > 0) {
            throw ApiException.quota(code, "The key " + name + " has used its quota of " + limit + " per minute: try again in " + seconds + (seconds == 1 ? " second" : " seconds"), seconds);
        }
    }

    synchronized void leave() {
        running--;
    }

    /** Counts tokens of a prompt or an answer. */
    void use(long count) {
        tokens.use(count);
    }
}
