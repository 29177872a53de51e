package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Every package that is used, those of packages and of tests too, was looked up in published advisories: {@code src-test-data/advisories.json}. */
class AdvisoriesTest {
    private static final Pattern PACKAGE = Pattern.compile("pkg:maven/([^/]+)/([^@]+)@([^?]+).*");

    private static final Path BILL = Page.ROOT.resolve("target/bts4j.cdx.json");

    private record Advisory(String id, String artifact, List<Range> affected, String accepted) {
        static Advisory of(JsonNode node) {
            List<Range> ranges = new ArrayList<>();
            node.get("affected").forEach(each -> ranges.add(Range.of(each)));
            return new Advisory(node.get("id").asText(), node.get("artifact").asText(), ranges, node.path("accepted").asText());
        }

        boolean holds(String version) {
            return affected.stream().anyMatch(range -> range.holds(version));
        }
    }

    /** From {@code from}, up to and without {@code before} or up to and with {@code last}. */
    private record Range(String from, String before, String last) {
        static Range of(JsonNode node) {
            if (node.has("before") == node.has("last")) {
                throw new IllegalArgumentException("either before or last: " + node);
            }
            return new Range(node.get("from").asText(), node.path("before").asText(), node.path("last").asText());
        }

        boolean holds(String version) {
            return LocalRepository.compare(version, from) >= 0
                    && (before.isEmpty() ? LocalRepository.compare(version, last) <= 0 : LocalRepository.compare(version, before) < 0);
        }
    }

    private static JsonNode table() throws IOException {
        return new ObjectMapper().readTree(Path.of(System.getProperty("bts4j.testData"), "advisories.json").toFile());
    }

    private static List<Advisory> advisories() throws IOException {
        List<Advisory> all = new ArrayList<>();
        table().get("advisories").forEach(each -> all.add(Advisory.of(each)));
        return all;
    }

    /** Versions by {@code group:artifact}. */
    private static Map<String, String> lookedAt() throws IOException {
        Map<String, String> versions = new TreeMap<>();
        table().get("lookedAt").properties().forEach(each -> versions.put(each.getKey(), each.getValue().asText()));
        return versions;
    }

    /** {@code group:artifact:version} of all packages in a bill of materials but the project's own. */
    private static Set<String> billed(JsonNode bill) {
        Set<String> packages = new TreeSet<>();
        for (JsonNode component : bill.get("components")) {
            Matcher url = PACKAGE.matcher(component.get("purl").asText());
            assertTrue(url.matches(), component.toString());
            if (!url.group(1).equals("io.github.bts4j")) {
                packages.add(url.group(1) + ":" + url.group(2) + ":" + url.group(3));
            }
        }
        return packages;
    }

    /** Without what runs the tests: Surefire brings its own, and JUnit's launcher in JUnit's version. */
    private static Set<String> onTheClassPath() {
        Set<String> packages = new TreeSet<>();
        LocalRepository.jars().forEach(jar -> packages.add(LocalRepository.coordinates(jar)));
        packages.removeIf(each -> each.startsWith("org.apache.maven.surefire:") || each.startsWith("org.junit.platform:junit-platform-launcher:"));
        return packages;
    }

    private static List<String> problems(Set<String> used, Map<String, String> lookedAt, List<Advisory> advisories) {
        List<String> problems = new ArrayList<>();
        for (String coordinates : used) {
            int colon = coordinates.lastIndexOf(':');
            String artifact = coordinates.substring(0, colon);
            String version = coordinates.substring(colon + 1);
            if (!version.equals(lookedAt.get(artifact))) {
                problems.add(coordinates + " was not looked up in advisories, " + lookedAt.getOrDefault(artifact, "no version of it") + " was: see CONTRIBUTING.md, Dependencies");
            }
            advisories.stream().filter(each -> each.artifact().equals(artifact) && each.holds(version) && each.accepted().isEmpty())
                    .forEach(each -> problems.add(coordinates + " is affected by " + each.id()));
        }
        return problems;
    }

    @Test
    void whatTestsRunWith() throws IOException {
        Set<String> used = onTheClassPath();
        assertTrue(used.size() > 60 && used.stream().anyMatch(each -> each.startsWith("org.junit.jupiter:junit-jupiter-api:")), used.toString());
        assertEquals(List.of(), problems(used, lookedAt(), advisories()));
    }

    /** `mvn package` and what comes after it make the bill. */
    @Test
    void whatTheBillOfMaterialsNames() throws IOException {
        assumeTrue(Files.exists(BILL) && Files.getLastModifiedTime(BILL).compareTo(Files.getLastModifiedTime(Page.ROOT.resolve("pom.xml"))) >= 0, "mvn package makes " + BILL);
        JsonNode bill = new ObjectMapper().readTree(BILL.toFile());
        Set<String> used = billed(bill);
        assertEquals(List.of(), problems(used, lookedAt(), advisories()));
        Set<String> ran = onTheClassPath();
        ran.removeIf(each -> each.startsWith("org.junit.") || each.startsWith("com.tngtech.archunit:") || each.startsWith("io.opentelemetry:opentelemetry-sdk") || each.startsWith("org.opentest4j") || each.startsWith("org.apiguardian"));
        ran.removeAll(used);
        assertEquals(Set.of(), ran, "tests run with what the bill does not name");
        Set<String> modules = new HashSet<>();
        bill.get("components").forEach(each -> modules.add(each.get("name").asText()));
        try (var folders = Files.newDirectoryStream(Page.ROOT, "bts-*")) {
            folders.forEach(folder -> assertTrue(!Files.exists(folder.resolve("pom.xml")) || modules.contains(folder.getFileName().toString()), folder + " in " + modules));
        }
    }

    /** What is no longer used, and what is accepted though nothing is wrong any more, goes from the table. */
    @Test
    void theTableHasNothingElse() throws IOException {
        Set<String> artifacts = new TreeSet<>(lookedAt().keySet());
        onTheClassPath().forEach(each -> artifacts.remove(each.substring(0, each.lastIndexOf(':'))));
        assertEquals(Set.of(), artifacts, "looked at, not used");
        for (Advisory each : advisories()) {
            assertTrue(each.accepted().isEmpty() || each.holds(lookedAt().getOrDefault(each.artifact(), "0")), each.id() + " is accepted and does not hold");
            assertTrue(each.accepted().isEmpty() || each.accepted().length() > 60, each.id() + ": why?");
        }
    }

    @Test
    void affectedAndUnknownPackagesAreFound() throws IOException {
        List<Advisory> advisories = advisories();
        Map<String, String> then = Map.of("org.xerial.snappy:snappy-java", "1.1.10.8", "io.netty:netty-codec-http2", "4.2.3.Final",
                "com.fasterxml.jackson.core:jackson-databind", "2.21.6", "io.vertx:vertx-core", "5.2.0");
        Set<String> used = new TreeSet<>();
        then.forEach((artifact, version) -> used.add(artifact + ":" + version));
        used.add("com.hubspot.jinjava:jinjava:2.8.0");
        String problems = String.join("\n", problems(used, then, advisories));
        for (String expected : List.of("snappy-java:1.1.10.8 is affected by CVE-2026-93451", "netty-codec-http2:4.2.3.Final is affected by CVE-2025-55163",
                "jackson-databind:2.21.6 is affected by CVE-2026-91776", "vertx-core:5.2.0 is affected by CVE-2026-102476", "jinjava:2.8.0 was not looked up in advisories, no version of it was")) {
            assertTrue(problems.contains(expected), expected + " in\n" + problems);
        }
        Advisory netty = advisories.stream().filter(each -> each.id().equals("CVE-2025-55163")).findFirst().orElseThrow();
        assertTrue(netty.holds("4.1.123.Final") && netty.holds("4.2.3.Final"));
        assertFalse(netty.holds("4.1.124.Final") || netty.holds("4.2.4.Final") || netty.holds("4.2.20.Final"));
        assertTrue(LocalRepository.compare("1.1.10.9", "1.1.10.11") < 0 && LocalRepository.compare("2.7.1-0.36.0", "2.7.1-0.4.0") > 0);
    }
}
