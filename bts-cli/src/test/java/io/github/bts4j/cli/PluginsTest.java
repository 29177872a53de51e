package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Every plugin has one version, and runs with the oldest Maven that the README promises. */
class PluginsTest {
    private static final Pattern PLUGIN = Pattern.compile("<plugin>\\s*<groupId>([^<]+)</groupId>\\s*<artifactId>([^<]+)</artifactId>(?:\\s*<version>([^<]+)</version>)?");

    private static final Pattern REQUIRED = Pattern.compile("<requiredMavenVersion>\\s*([^<\\s]+)\\s*</requiredMavenVersion>");

    private static final Pattern PROMISED = Pattern.compile("<requireMavenVersion><version>\\[([\\d.]+),\\)</version>");

    private static String root() throws IOException {
        return Files.readString(Page.ROOT.resolve("pom.xml"));
    }

    private static String promised() throws IOException {
        Matcher rule = PROMISED.matcher(root());
        assertTrue(rule.find());
        return rule.group(1);
    }

    /** Versions by {@code group:artifact}; empty where a POM says none. */
    private static Map<String, String> plugins(String pom) throws IOException {
        Map<String, String> found = new TreeMap<>();
        Matcher plugin = PLUGIN.matcher(pom);
        while (plugin.find()) {
            String version = plugin.group(3) == null ? "" : plugin.group(3);
            Matcher property = Pattern.compile("\\$\\{(.+)}").matcher(version);
            if (property.matches()) {
                Matcher value = Pattern.compile("<" + Pattern.quote(property.group(1)) + ">([^<]+)<").matcher(root());
                assertTrue(value.find(), version);
                version = value.group(1);
            }
            found.merge(plugin.group(1) + ":" + plugin.group(2), version, (a, b) -> a.isEmpty() ? b : a);
        }
        return found;
    }

    /** The oldest Maven that a plugin's descriptor asks for. */
    private static String required(Path jar) throws IOException {
        try (JarFile file = new JarFile(jar.toFile()); InputStream descriptor = file.getInputStream(file.getEntry("META-INF/maven/plugin.xml"))) {
            return required(new String(descriptor.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    private static String required(String descriptor) {
        Matcher version = REQUIRED.matcher(descriptor);
        return version.find() ? version.group(1) : "0";
    }

    @Test
    void allRunWithThePromisedMaven() throws IOException {
        String promised = promised();
        List<String> problems = new ArrayList<>();
        Map<String, String> plugins = plugins(root());
        assertTrue(plugins.size() >= 15, plugins.toString());
        for (Map.Entry<String, String> each : plugins.entrySet()) {
            String[] name = each.getKey().split(":");
            Path jar = LocalRepository.jar(name[0], name[1], each.getValue());
            if (!LocalRepository.has(jar)) {
                problems.add(jar + " is missing: bts-cli/pom.xml fetches those that mvn verify does not run");
            } else if (LocalRepository.compare(required(jar), promised) > 0) {
                problems.add(each + " needs Maven " + required(jar) + ", and the README promises " + promised);
            }
        }
        assertEquals(List.of(), problems);
    }

    @Test
    void modulesNameNoOtherVersions() throws IOException {
        Set<String> pinned = new TreeSet<>(plugins(root()).keySet());
        try (var poms = Files.newDirectoryStream(Page.ROOT, "bts-*")) {
            for (Path folder : poms) {
                Path pom = folder.resolve("pom.xml");
                if (Files.exists(pom)) {
                    plugins(Files.readString(pom)).forEach((name, version) -> assertTrue(version.isEmpty() && pinned.contains(name), pom + ": " + name + " " + version));
                }
            }
        }
    }

    @Test
    void thePagesPromiseWhatTheBuildDemands() throws IOException {
        for (String page : List.of("README.md", "CONTRIBUTING.md")) {
            assertTrue(Files.readString(Page.ROOT.resolve(page)).matches("(?s).*Maven \\(?" + Pattern.quote(promised()) + " or later.*"), page);
        }
    }

    /** exec-maven-plugin 3.7.0 says so of itself, and stopped the quick start under Maven 3.8.7. */
    @Test
    void aPluginThatIsTooNewIsFound() throws IOException {
        String descriptor = "<plugin><requiredJavaVersion>1.8</requiredJavaVersion><requiredMavenVersion>3.9.0</requiredMavenVersion></plugin>";
        assertTrue(LocalRepository.compare(required(descriptor), promised()) > 0);
        assertTrue(LocalRepository.compare("3.6.3", promised()) < 0);
    }
}
