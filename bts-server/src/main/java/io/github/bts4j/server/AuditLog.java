package io.github.bts4j.server;

import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One line of JSON for each POST request, at level INFO of the logger {@code bts4j.audit}.
 *
 * @param isOn whether there are such lines
 */
record AuditLog(boolean isOn) {
    private static final Logger LOG = LoggerFactory.getLogger("bts4j.audit");

    void write(Account account, int status, double seconds) {
        if (isOn) {
            LOG.info("{}", account.line(Instant.now(), status, seconds));
        }
    }
}
