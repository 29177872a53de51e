package io.github.bts4j.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A page of the documentation.
 *
 * @param name its file, as seen from the repository's root
 * @param text all of it
 * @param blocks its fenced blocks, in order
 */
record Page(String name, String text, List<Block> blocks) {
    static final Path ROOT = Path.of(System.getProperty("bts4j.testData")).toAbsolutePath().getParent();

    private static final Pattern FENCE = Pattern.compile("^( *)```(\\w*)\\n(.*?)^\\1```", Pattern.DOTALL | Pattern.MULTILINE);
    private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|'([^']*)'|([^\\s#'\"][^\\s'\"]*)|(#.*)");
    private static final Pattern RUN_FILE = Pattern.compile("# (\\S+\\.yaml): (\\./bts .*)\\n");

    /**
     * A fenced block.
     *
     * @param page its page's name
     * @param language what stands behind the fence, such as {@code java}
     * @param line the line of its first line, from 1
     * @param text its text, without the fence's indentation
     */
    record Block(String page, String language, int line, String text) {
        String place() {
            return page + ":" + line;
        }

        /** The command lines of a block of shell text: what is continued by a backslash is one, comments and variables before a program are gone. */
        List<Command> commands() {
            List<Command> commands = new ArrayList<>();
            Matcher runFile = RUN_FILE.matcher(text);
            if (language.equals("yaml") && runFile.lookingAt()) {
                commands.add(new Command(place(), words(runFile.group(2)), Path.of(runFile.group(1)), text));
            } else if (language.equals("sh")) {
                int at = line;
                for (String each : text.split("(?<!\\\\)\\n")) {
                    List<String> words = words(each.replace("\\\n", " ")).stream().dropWhile(word -> word.matches("[A-Z_]+=.*")).toList();
                    if (!words.isEmpty()) {
                        commands.add(new Command(page + ":" + at, words, Path.of(""), ""));
                    }
                    at += 1 + each.length() - each.replace("\n", "").length();
                }
            }
            return commands;
        }
    }

    /**
     * A command line.
     *
     * @param place page and line
     * @param words the program and its arguments
     * @param file a run file that the block holds, or the empty path
     * @param content what the run file holds
     */
    record Command(String place, List<String> words, Path file, String content) {
        @Override
        public String toString() {
            return place + ": " + String.join(" ", words);
        }
    }

    /** The pages at the root and all pages in docs. */
    static List<Page> all() throws IOException {
        List<Path> files = new ArrayList<>();
        for (Path folder : List.of(ROOT, ROOT.resolve("docs"))) {
            try (Stream<Path> pages = Files.list(folder)) {
                pages.filter(file -> file.toString().endsWith(".md")).sorted().forEach(files::add);
            }
        }
        List<Page> pages = new ArrayList<>();
        for (Path file : files) {
            pages.add(read(file));
        }
        return pages;
    }

    private static Page read(Path file) throws IOException {
        String name = ROOT.relativize(file).toString();
        String text = Files.readString(file);
        List<Block> blocks = new ArrayList<>();
        Matcher fence = FENCE.matcher(text);
        while (fence.find()) {
            int line = 1 + (int) text.substring(0, fence.start(3)).chars().filter(c -> c == '\n').count();
            blocks.add(new Block(name, fence.group(2), line, fence.group(3).replaceAll("(?m)^" + fence.group(1), "")));
        }
        return new Page(name, text, blocks);
    }

    /** The text outside of fenced blocks. */
    String prose() {
        return FENCE.matcher(text).replaceAll("");
    }

    List<Command> commands() {
        return blocks.stream().flatMap(block -> block.commands().stream()).toList();
    }

    /** As a shell would, as far as the documentation goes: quoted words, and comments, which are left out. */
    static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        Matcher word = WORD.matcher(line);
        while (word.find()) {
            if (word.group(4) == null) {
                words.add(word.group(1) != null ? word.group(1) : word.group(2) != null ? word.group(2) : word.group(3));
            }
        }
        return words;
    }

    @Override
    public String toString() {
        return name;
    }
}
