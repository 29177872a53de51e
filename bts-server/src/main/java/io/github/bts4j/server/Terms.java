package io.github.bts4j.server;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a request is checked against.
 *
 * @param served the model
 * @param config the server's limits
 * @param limits of the length of texts
 * @param client who sends it
 */
record Terms(ServedModel served, ServerConfig config, PromptLimits limits, Client client) {
    private static final int MOST_EXPERTS = 512;

    /**
     * Reads {@code experts} and {@code experts_off}.
     *
     * @return the experts that are off: those that the request turns off, and those that the client may not use
     * @throws ApiException with status 400 if it names an expert that does not exist, with 403 one that the client may not use
     */
    Set<String> expertsOff(Fields fields) {
        List<String> all = served.model().experts();
        List<String> allowed = client.allowed(all);
        Set<String> off = new TreeSet<>(all);
        off.removeAll(allowed);
        off.addAll(named("experts_off", fields, all, allowed));
        boolean chosen = !fields.get("experts").isMissingNode();
        Set<String> on = named("experts", fields, all, allowed);
        if (chosen && !fields.get("experts_off").isMissingNode()) {
            throw ApiException.field("experts", "experts and experts_off are both given: send the experts to use, or those to turn off");
        }
        if (chosen) {
            off.addAll(all);
            off.removeAll(on);
        }
        return off;
    }

    /** The experts that are on. */
    List<String> expertsOn(Set<String> off) {
        return served.model().experts().stream().filter(name -> !off.contains(name)).toList();
    }

    private Set<String> named(String field, Fields fields, List<String> all, List<String> allowed) {
        Set<String> names = new TreeSet<>(fields.texts(field, MOST_EXPERTS));
        for (String name : names) {
            if (!all.contains(name)) {
                throw ApiException.field(field, field + ": there is no expert " + Fields.shortened(name) + ", only " + allowed);
            }
            if (!allowed.contains(name)) {
                throw ApiException.of(403, "expert_not_allowed", field, field + ": the key " + client.name() + " may not use the expert " + name + ", only " + allowed);
            }
        }
        return names;
    }
}
