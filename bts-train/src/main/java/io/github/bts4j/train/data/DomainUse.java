package io.github.bts4j.train.data;

import java.util.Locale;

/**
 * What a run has read of one domain.
 *
 * @param domain name of the domain
 * @param sequences sequences drawn from it
 * @param tokens tokens predicted in them
 * @param epochs how often its text was read, possibly a fraction; above 1 text is repeated
 */
public record DomainUse(String domain, long sequences, long tokens, double epochs) {

    /** {@return a text for logs, such as {@code code 1200 sequences (2.41 epochs)}} */
    public String text() {
        return String.format(Locale.ROOT, "%s %d sequences (%.2f epochs)", domain, sequences, epochs);
    }
}
