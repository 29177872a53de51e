package io.github.bts4j.cli;

import java.io.File;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Maven's local repository, where the class path comes from, and the order of version numbers. */
final class LocalRepository {
    private LocalRepository() {}

    /** The jars on the class path that the project did not build. */
    static List<Path> jars() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator)).filter(entry -> entry.endsWith(".jar"))
                .map(entry -> Path.of(entry).toAbsolutePath().normalize()).filter(jar -> !jar.startsWith(Page.ROOT.normalize())).toList();
    }

    /** JUnit's jar lies in {@code REPOSITORY/org/junit/jupiter/junit-jupiter-api/VERSION}. */
    static Path folder() {
        String api = Path.of(Test.class.getProtectionDomain().getCodeSource().getLocation().getPath()).toString();
        return Path.of(api.substring(0, api.indexOf(Path.of("org", "junit", "jupiter").toString())));
    }

    static Path jar(String group, String artifact, String version) {
        return folder().resolve(group.replace('.', File.separatorChar)).resolve(artifact).resolve(version).resolve(artifact + "-" + version + ".jar");
    }

    /** {@code group:artifact:version} of a jar in the repository. */
    static String coordinates(Path jar) {
        Path version = folder().relativize(jar).getParent();
        Path artifact = version.getParent();
        return artifact.getParent().toString().replace(File.separatorChar, '.') + ":" + artifact.getFileName() + ":" + version.getFileName();
    }

    /** By the numbers in them, so that 2.0-rc1 counts as later than 2.0; a missing number is 0. */
    static int compare(String a, String b) {
        BigInteger[] first = numbers(a);
        BigInteger[] second = numbers(b);
        for (int i = 0; i < Math.max(first.length, second.length); i++) {
            int order = (i < first.length ? first[i] : BigInteger.ZERO).compareTo(i < second.length ? second[i] : BigInteger.ZERO);
            if (order != 0) {
                return order;
            }
        }
        return 0;
    }

    private static BigInteger[] numbers(String version) {
        return Arrays.stream(version.split("\\D+")).filter(part -> !part.isEmpty()).map(BigInteger::new).toArray(BigInteger[]::new);
    }

    static boolean has(Path jar) {
        return Files.isRegularFile(jar);
    }
}
