package io.github.bts4j.core.constraint;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The formats of strings, each as a pattern of texts that have it: usual ones, not all of them. */
final class Formats {
    private static final String DATE = "(\\d\\d[1-9]\\d|\\d[1-9]\\d\\d|[1-9]\\d\\d\\d|000[1-9])-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)|02-(0[1-9]|1\\d|2[0-8]))";
    private static final String CLOCK = "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,6})?";
    private static final String OFFSET = "(Z|[+-](0\\d|1[0-3]):[0-5]\\d)";
    private static final String WHOLE_OFFSET = "(Z|\\+(0\\d|1[0-3]):00)";
    private static final String LABEL = "[A-Za-z]([A-Za-z0-9]|-[A-Za-z0-9]){0,20}";
    private static final String BYTE = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";

    private static final Map<String, String> PATTERNS = new TreeMap<>(Map.of(
            "date", DATE,
            "time", CLOCK + WHOLE_OFFSET,
            "date-time", DATE + "T" + CLOCK + OFFSET,
            "duration", "P(\\d{1,4}D(T\\d{1,4}[HMS])?|T\\d{1,4}[HMS]|\\d{1,4}[YMW])",
            "uuid", "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
            "email", "[A-Za-z0-9_]{1,20}([.+-][A-Za-z0-9_]{1,20}){0,2}@(" + LABEL + "\\.){1,3}" + topDomains(),
            "hostname", "(" + LABEL + "\\.){0,4}" + LABEL,
            "ipv4", BYTE + "(\\." + BYTE + "){3}",
            "ipv6", "[0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4}){7}",
            "uri", "https?://(" + LABEL + "\\.){1,3}[A-Za-z]{2,6}(/[A-Za-z0-9_.~-]*)*(\\?[A-Za-z0-9_=&-]*)?"));

    private Formats() {}

    /** Usual top-level domains: the countries' and the oldest general ones. */
    private static String topDomains() {
        Set<String> domains = new TreeSet<>(List.of("com", "edu", "eu", "gov", "info", "net", "org", "uk", "dev", "app"));
        for (String country : Locale.getISOCountries()) {
            domains.add(country.toLowerCase(Locale.ROOT));
        }
        List.of("bl", "bq", "eh", "mf", "um").forEach(domains::remove); // not delegated
        return "(" + String.join("|", domains) + ")";
    }

    static Iterable<String> names() {
        return PATTERNS.keySet();
    }

    static boolean isKnown(String name) {
        return PATTERNS.containsKey(name);
    }

    static String pattern(String name) {
        return "^(?:" + PATTERNS.get(name) + ")$";
    }
}
