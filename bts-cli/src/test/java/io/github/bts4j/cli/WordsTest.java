package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** No comment, message or page uses a phrase of the table at the end of docs/vocabulary.md. */
class WordsTest {
    private static final Path VOCABULARY = Page.ROOT.resolve("docs/vocabulary.md");
    private static final String HEADING = "## Words to avoid";
    private static final Pattern ROW = Pattern.compile("\\| (`.*) \\| (.*) \\|");
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");
    private static final Pattern JAVA = Pattern.compile("//[^\\n]*+|/\\*(?s:.*?)\\*/|\"\"\"(?s:.*?)\"\"\"|\"(?:\\\\.|[^\"\\\\\\n])*+\"|'(?:\\\\.|[^'\\\\\\n])++'");

    /** A phrase to avoid, and the words to write instead. */
    private record Phrase(Pattern pattern, String avoid, String write) {}

    private static List<Phrase> phrases() throws IOException {
        String page = Files.readString(VOCABULARY);
        List<Phrase> phrases = new ArrayList<>();
        Matcher row = ROW.matcher(page.substring(page.indexOf(HEADING)));
        while (row.find()) {
            CODE.matcher(row.group(1)).results().map(code -> code.group(1)).forEach(avoid -> phrases.add(
                    new Phrase(Pattern.compile("(?i)(?<![\\w-])" + Pattern.quote(avoid).replace(" ", "\\E\\s+\\Q") + "(?![\\w-])"), avoid, row.group(2))));
        }
        return phrases;
    }

    private static List<String> problems(String file, String text, List<Phrase> phrases) {
        List<String> problems = new ArrayList<>();
        for (Phrase phrase : phrases) {
            phrase.pattern.matcher(text).results().forEach(found -> problems.add(file + ": '" + phrase.avoid + "' in \""
                    + text.substring(Math.max(0, found.start() - 40), Math.min(text.length(), found.end() + 40)) + "\": write " + phrase.write));
        }
        return problems;
    }

    /** Comments and strings of a Java source. */
    private static void java(String source, BiConsumer<Integer, String> text) {
        JAVA.matcher(source).results().filter(part -> part.group().charAt(0) != '\'')
                .forEach(part -> text.accept(1 + (int) source.substring(0, part.start()).chars().filter(c -> c == '\n').count(),
                        part.group().replaceAll("\\n\\s*\\*? ?", " ")));
    }

    /** A page without code, and the vocabulary without its table. */
    private static String prose(String page) {
        String text = page.contains(HEADING) ? page.substring(0, page.indexOf(HEADING)) : page;
        return text.replaceAll("(?s)```.*?```", "").replaceAll("`[^`]*`", "");
    }

    private static List<Path> files(Path folder, String suffix) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(suffix)).sorted().toList();
        }
    }

    @Test
    void commentsAndMessagesUseTheFieldsWords() throws IOException {
        List<Phrase> phrases = phrases();
        List<String> problems = new ArrayList<>();
        int read = 0;
        try (Stream<Path> modules = Files.list(Page.ROOT)) {
            for (Path sources : modules.map(module -> module.resolve("src/main/java")).filter(Files::isDirectory).sorted().toList()) {
                for (Path file : files(sources, ".java")) {
                    read++;
                    java(Files.readString(file), (line, text) -> problems.addAll(problems(file.getFileName() + ":" + line, text, phrases)));
                }
            }
        }
        assertEquals("", String.join("\n", problems));
        assertTrue(read > 500, read + " sources");
    }

    /** What a merge leaves behind. */
    @Test
    void pagesHoldNoConflicts() throws IOException {
        List<Path> pages = new ArrayList<>(files(Page.ROOT.resolve("docs"), ".md"));
        pages.add(Page.ROOT.resolve("README.md"));
        pages.add(Page.ROOT.resolve("CHANGELOG.md"));
        for (Path page : pages) {
            assertTrue(Files.readAllLines(page).stream().noneMatch(line -> line.matches("(<{7}|>{7}) .*|={7}")), () -> page + " holds marks of a conflict");
        }
    }

    @Test
    void pagesUseTheFieldsWords() throws IOException {
        List<Phrase> phrases = phrases();
        List<Path> pages = new ArrayList<>(files(Page.ROOT.resolve("docs"), ".md"));
        pages.addAll(List.of(Page.ROOT.resolve("README.md"), Page.ROOT.resolve("CONTRIBUTING.md"), Page.ROOT.resolve("CHANGELOG.md"), Page.ROOT.resolve("SECURITY.md")));
        List<String> problems = new ArrayList<>();
        for (Path page : pages) {
            problems.addAll(problems(page.getFileName().toString(), prose(Files.readString(page)), phrases));
        }
        assertEquals("", String.join("\n", problems));
    }

    /** These tests would fail, and say what to write. */
    @Test
    void phrasesAreFound() throws IOException {
        List<Phrase> phrases = phrases();
        assertTrue(phrases.size() > 40, phrases.size() + " phrases");
        List<String> problems = new ArrayList<>();
        java("/**\n * The Java\n * machine.\n */\nchar quote = '\"'; String lie = \"It lies, as a layout\"; // a crew\n", (line, text) -> problems.addAll(problems("A:" + line, text, phrases)));
        assertEquals(List.of("A:1: 'Java machine' in \"/** The Java machine. /\": write JVM", "A:5: 'lies' in \"\"It lies, as a layout\"\": write is, is stored",
                "A:5: 'crew' in \"// a crew\": write worker team"), problems);
        assertEquals("before  and\n\n", prose("before `lies` and\n```sh\nlies\n```\n"));
    }
}
