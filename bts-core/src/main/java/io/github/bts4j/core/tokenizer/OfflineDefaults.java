package io.github.bts4j.core.tokenizer;

import java.util.Map;
import java.util.Properties;

/**
 * Keeps DJL off the network. By default, opening a tokenizer reports to a server of DJL's authors, and on a CUDA machine downloads another native library.
 * {@code ai.djl.offline=true} stops both. A user's own {@code ai.djl.offline} or {@code DJL_OFFLINE} is respected. {@code OPT_OUT_TRACKING} only stops the
 * reports, so in that case the download is avoided by naming the library inside the jar.
 */
final class OfflineDefaults {

    private OfflineDefaults() {}

    static void apply() {
        apply(System.getenv(), System.getProperties());
    }

    static void apply(Map<String, String> environment, Properties properties) {
        boolean offlineDecided = environment.containsKey("DJL_OFFLINE") || properties.containsKey("ai.djl.offline");
        if (offlineDecided) {
            return;
        }
        if (isSet("OPT_OUT_TRACKING", environment, properties)) {
            if (!isSet("RUST_FLAVOR", environment, properties)) {
                properties.setProperty("RUST_FLAVOR", "cpu");
            }
            return;
        }
        properties.setProperty("ai.djl.offline", "true");
    }

    private static boolean isSet(String name, Map<String, String> environment, Properties properties) {
        return environment.containsKey(name) || properties.containsKey(name);
    }
}
