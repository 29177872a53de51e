package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** The versions that README.md and docs name, and those that users get, are those of the POMs. */
class DocumentedVersionsTest {
    private static final Pattern COORDINATES = Pattern.compile("`(\\w+(?:\\.\\w+)+):([a-z][\\w-]*)(?::(\\d[\\w.-]*))?`");

    private static final Pattern JAR = Pattern.compile("\\bbts-[a-z0-9]+-(\\d[\\w.-]*)\\.jar");

    /** What the root POM says: properties, and versions by group and artifact. */
    private static final Map<String, String> PROPERTIES = new HashMap<>();
    private static final Map<String, String> VERSIONS = new HashMap<>();

    /** {@code GROUP:ARTIFACT:CLASSIFIER} of what the BOM manages. */
    private static final List<String> BOM = new ArrayList<>();

    private record Dependency(String group, String artifact, String version, String classifier) {
        static Dependency of(Element element) {
            return new Dependency(child(element, "groupId"), child(element, "artifactId"), resolved(child(element, "version")), child(element, "classifier"));
        }

        String name() {
            return group + ":" + artifact;
        }

        String managed() {
            return name() + ":" + classifier;
        }
    }

    @BeforeAll
    static void readPoms() throws Exception {
        Element root = parsed(Files.readString(Page.ROOT.resolve("pom.xml")));
        PROPERTIES.put("project.version", child(root, "version"));
        Element properties = (Element) root.getElementsByTagName("properties").item(0);
        NodeList all = properties.getChildNodes();
        for (int i = 0; i < all.getLength(); i++) {
            PROPERTIES.put(all.item(i).getNodeName(), all.item(i).getTextContent());
        }
        for (Dependency dependency : dependencies((Element) root.getElementsByTagName("dependencyManagement").item(0))) {
            VERSIONS.put(dependency.name(), dependency.version());
        }
        VERSIONS.put("io.github.bts4j:bts-bom", resolved("${project.version}"));
        dependencies(parsed(Files.readString(Page.ROOT.resolve("bts-bom/pom.xml")))).forEach(dependency -> BOM.add(dependency.managed()));
    }

    private static Element parsed(String xml) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8))).getDocumentElement();
    }

    private static List<Dependency> dependencies(Element within) {
        List<Dependency> dependencies = new ArrayList<>();
        NodeList found = within.getElementsByTagName("dependency");
        for (int i = 0; i < found.getLength(); i++) {
            dependencies.add(Dependency.of((Element) found.item(i)));
        }
        return dependencies;
    }

    /** The text of a direct child, empty if there is none. */
    private static String child(Element element, String name) {
        for (org.w3c.dom.Node node = element.getFirstChild(); node != null; node = node.getNextSibling()) {
            if (node.getNodeName().equals(name)) {
                return node.getTextContent().strip();
            }
        }
        return "";
    }

    private static String resolved(String version) {
        return version.startsWith("${") ? PROPERTIES.get(version.substring(2, version.length() - 1)) : version;
    }

    /** A dependency has the POM's version, or none where the page imports a BOM that manages it. */
    @Test
    void dependenciesHaveThePomsVersions() throws Exception {
        List<String> problems = new ArrayList<>();
        int read = 0;
        for (Page page : Page.all()) {
            for (Page.Block block : page.blocks()) {
                if (block.language().equals("xml")) {
                    boolean imported = block.text().contains("<scope>import</scope>");
                    for (Dependency each : dependencies(parsed("<xml>" + block.text() + "</xml>"))) {
                        read++;
                        if (each.version().isEmpty() ? !(imported && BOM.contains(each.managed())) : !each.version().equals(VERSIONS.get(each.name()))) {
                            problems.add(block.place() + ": " + each + ", not " + VERSIONS.get(each.name()));
                        }
                    }
                }
            }
        }
        assertEquals(List.of(), problems);
        assertTrue(read >= 9, read + " dependencies");
    }

    /** Maven 3.8 compiles with a plugin that does not know {@code maven.compiler.release}, and for Java 5 if it is told nothing else. */
    @Test
    void theProjectToCopyTakesTheDependenciesOfTheInstallation() throws Exception {
        String whole = xml("docs/getting-started.md", "<modelVersion>");
        Element project = parsed(whole);
        assertEquals(dependencies(parsed("<xml>" + xml("docs/installation.md", "pytorch-jni") + "</xml>")), dependencies(project));
        Element properties = (Element) project.getElementsByTagName("properties").item(0);
        assertEquals("17", child(properties, "maven.compiler.source"));
        assertEquals("17", child(properties, "maven.compiler.target"));
        assertEquals("", child(properties, "maven.compiler.release"));
    }

    private static String xml(String page, String part) throws Exception {
        return Page.all().stream().filter(each -> each.toString().equals(page)).flatMap(each -> each.blocks().stream())
                .filter(block -> block.language().equals("xml") && block.text().contains(part)).findFirst().orElseThrow().text();
    }

    @Test
    void coordinatesInTheTextDoToo() throws Exception {
        List<String> problems = new ArrayList<>();
        int read = 0;
        for (Page page : Page.all()) {
            Matcher coordinates = COORDINATES.matcher(page.prose());
            while (coordinates.find()) {
                String known = VERSIONS.get(coordinates.group(1) + ":" + coordinates.group(2));
                if (known == null || coordinates.group(3) != null && !coordinates.group(3).equals(known)) {
                    problems.add(page + ": " + coordinates.group() + ", not " + known);
                }
                read++;
            }
        }
        assertEquals(List.of(), problems);
        assertTrue(read >= 3, read + " coordinates");
    }

    /** What the pages and the BOM name, in the versions of the POM, the project's own modules aside. */
    private static Set<Dependency> named() throws Exception {
        Set<Dependency> named = new TreeSet<>(Comparator.comparing(Dependency::toString));
        for (Page page : Page.all()) {
            for (Page.Block block : page.blocks()) {
                if (block.language().equals("xml")) {
                    named.addAll(dependencies(parsed("<xml>" + block.text() + "</xml>")));
                }
            }
            Matcher coordinates = COORDINATES.matcher(page.prose());
            while (coordinates.find()) {
                named.add(new Dependency(coordinates.group(1), coordinates.group(2), "", ""));
            }
        }
        named.addAll(dependencies(parsed(Files.readString(Page.ROOT.resolve("bts-bom/pom.xml")))));
        Set<Dependency> versioned = new TreeSet<>(Comparator.comparing(Dependency::toString));
        named.stream().filter(each -> !each.group().equals("io.github.bts4j"))
                .forEach(each -> versioned.add(new Dependency(each.group(), each.artifact(), VERSIONS.get(each.name()), each.classifier())));
        return versioned;
    }

    /** Maven has found them before this test runs: each is a dependency of a module that was built, and lies in the local repository in the version that the pages name. */
    @Test
    void whatIsNamedIsUsedByTheBuildItself() throws Exception {
        Set<String> used = new TreeSet<>();
        LocalRepository.jars().forEach(jar -> used.add(LocalRepository.coordinates(jar)));
        Set<String> names = new TreeSet<>();
        named().forEach(each -> names.add(each.name() + ":" + each.version()));
        assertTrue(names.size() >= 3, names.toString());
        names.removeAll(used);
        assertEquals(Set.of(), names);
        Set<String> built = new TreeSet<>();
        for (String module : modules()) {
            built.add(child(parsed(Files.readString(Page.ROOT.resolve(Path.of(module, "pom.xml")))), "artifactId"));
        }
        VERSIONS.keySet().stream().filter(name -> name.startsWith("io.github.bts4j:")).map(name -> name.substring(name.indexOf(':') + 1)).forEach(own -> assertTrue(built.contains(own), own + " in " + built));
    }

    /** The modules; the quick start sets another value for a property among them. */
    private static List<String> modules() throws Exception {
        Element pom = parsed(Files.readString(Page.ROOT.resolve("pom.xml")));
        NodeList modules = pom.getElementsByTagName("module");
        String spark = pom.getElementsByTagName("spark.module").item(0).getTextContent();
        return IntStream.range(0, modules.getLength()).mapToObj(i -> modules.item(i).getTextContent().replace("${spark.module}", spark)).toList();
    }

    /** In a Maven process of its own, over the network or from a warm repository. Of artifacts with a classifier, which have up to 200 MB, only the checksum is fetched. */
    @Test
    @Tag("slow")
    void whatIsNamedCanBeHadFromMavenCentral(@TempDir Path folder) throws Exception {
        StringBuilder pom = new StringBuilder("<project><modelVersion>4.0.0</modelVersion><groupId>named</groupId><artifactId>named</artifactId><version>1</version><packaging>pom</packaging><dependencies>");
        for (Dependency each : named()) {
            pom.append("<dependency><groupId>").append(each.group()).append("</groupId><artifactId>").append(each.artifact()).append("</artifactId><version>").append(each.version()).append("</version>")
                    .append(each.classifier().isEmpty() ? "<type>pom</type>" : "<type>jar.sha1</type><classifier>" + each.classifier() + "</classifier>")
                    .append("<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions></dependency>");
        }
        Files.writeString(folder.resolve("pom.xml"), pom.append("</dependencies></project>"));
        Process maven = new ProcessBuilder("mvn", "-B", "-ntp", "-q", "org.apache.maven.plugins:maven-dependency-plugin:3.11.0:resolve").directory(folder.toFile()).redirectErrorStream(true)
                .redirectOutput(folder.resolve("out.txt").toFile()).start();
        int status = maven.waitFor();
        assertEquals(0, status, Files.readString(folder.resolve("out.txt")));
    }

    @Test
    void namesOfJarsDoToo() throws Exception {
        int read = 0;
        for (Page page : Page.all()) {
            Matcher jar = JAR.matcher(page.text());
            while (jar.find()) {
                assertEquals(PROPERTIES.get("project.version"), jar.group(1), () -> page + ": " + jar.group());
                read++;
            }
        }
        assertTrue(read >= 3, read + " jars");
    }

    @Test
    void theImageAndTheCatalogueDoToo() throws Exception {
        String version = PROPERTIES.get("project.version");
        String image = Files.readString(Page.ROOT.resolve("Dockerfile"));
        assertTrue(image.contains("ADD bts-cli/target/bts-" + version + "-linux-x86_64.tar.gz"), image);
        assertTrue(image.contains("ENTRYPOINT [\"/opt/bts-" + version + "/bin/bts\"]"), image);
        String catalogue = Files.readString(Page.ROOT.resolve("jbang-catalog.json"));
        assertTrue(catalogue.contains("\"io.github.bts4j:bts-cli:" + version + "\""), catalogue);
    }

    @Test
    void theGpusVersionsBelongTogether() throws Exception {
        String gpu = Files.readString(Page.ROOT.resolve("docs/gpu.md"));
        String libtorch = PROPERTIES.get("libtorch.version");
        assertEquals(libtorch + "-" + PROPERTIES.get("djl.version"), PROPERTIES.get("pytorch-jni.version"));
        assertTrue(gpu.contains("DJL " + PROPERTIES.get("djl.version") + ", its JNI library " + PROPERTIES.get("pytorch-jni.version") + " and libtorch **" + libtorch + "**"));
        assertTrue(gpu.contains("export PYTORCH_VERSION=" + libtorch + " "));
    }

    /** Dependency management does not reach a user's project: Jackson has our version there if bts-core names it. */
    @Test
    void usersGetOneVersionOfJackson() throws Exception {
        List<String> core = new ArrayList<>();
        dependencies(parsed(Files.readString(Page.ROOT.resolve("bts-core/pom.xml")))).forEach(dependency -> core.add(dependency.name()));
        assertTrue(core.contains("com.fasterxml.jackson.core:jackson-databind"), core.toString());
    }

    /** What a release changes by hand: the BOM's own entries, and what the command line says. */
    @Test
    void oneVersionEverywhere() throws Exception {
        String version = PROPERTIES.get("project.version");
        Element bom = parsed(Files.readString(Page.ROOT.resolve("bts-bom/pom.xml")));
        List<String> listed = new ArrayList<>();
        for (Dependency each : dependencies(bom)) {
            assertEquals(VERSIONS.get(each.name()), each.version(), each.name());
            listed.add(each.artifact());
        }
        for (String module : modules()) {
            Element parent = (Element) parsed(Files.readString(Page.ROOT.resolve(Path.of(module, "pom.xml")))).getElementsByTagName("parent").item(0);
            assertEquals(version, child(parent, "version"), module);
            assertEquals(!List.of("bts-bom", "bts-examples", "bts-cli").contains(module), listed.contains(module), module + " in the BOM");
        }
        PrintWriter out = new PrintWriter(new StringWriter());
        assertEquals("bts4j " + version, Bts.line(out, out).getCommandSpec().version()[0]);
    }
}
