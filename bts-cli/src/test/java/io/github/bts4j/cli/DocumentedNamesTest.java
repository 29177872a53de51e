package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** What the text of README.md and docs names is there: commands, options, the targets of links. */
class DocumentedNamesTest {
    private static final Pattern INLINE = Pattern.compile("`([^`\\n]+)`");
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");

    /** Commands and options that are named in the text. */
    @Test
    void whatTheTextNamesIsThere() throws IOException {
        PrintWriter nowhere = new PrintWriter(new StringWriter());
        CommandLine bts = Bts.line(nowhere, nowhere);
        List<String> problems = new ArrayList<>();
        for (Page page : Page.all()) {
            Matcher inline = INLINE.matcher(page.prose());
            while (inline.find()) {
                List<String> words = Page.words(inline.group(1));
                if (words.isEmpty()) { // such as `#`, a comment
                    continue;
                }
                boolean command = words.size() > 1 && List.of("bts", "./bts").contains(words.get(0)) && !words.get(1).startsWith("-");
                if (command && !bts.getSubcommands().containsKey(words.get(1))) {
                    problems.add(page + ": there is no command " + inline.group());
                } else if (command || words.get(0).startsWith("--")) {
                    List<CommandLine> known = command ? List.of(bts.getSubcommands().get(words.get(1))) : List.copyOf(bts.getSubcommands().values());
                    words.stream().filter(word -> word.startsWith("--")).map(word -> word.replaceFirst("=.*", ""))
                            .filter(option -> known.stream().noneMatch(each -> each.getCommandSpec().findOption(option) != null || each.getCommandSpec().negatedOptionsMap().containsKey(option)))
                            .forEach(option -> problems.add(page + ": there is no option " + option));
                }
            }
        }
        assertEquals(List.of(), problems);
    }

    @Test
    void everyLinkLeadsSomewhere() throws IOException {
        List<String> problems = new ArrayList<>();
        for (Page page : Page.all()) {
            Matcher link = LINK.matcher(page.prose());
            while (link.find()) {
                String[] target = link.group(1).split("#", 2);
                Path file = target[0].isEmpty() ? Page.ROOT.resolve(page.name()) : Page.ROOT.resolve(page.name()).resolveSibling(target[0]);
                if (!link.group(1).contains("://") && !(Files.exists(file) && (target.length == 1 || anchors(file).contains(target[1])))) {
                    problems.add(page + ": " + link.group(1));
                }
            }
        }
        assertEquals(List.of(), problems);
    }

    /** Names of a page's headings, as GitHub makes them. */
    private static List<String> anchors(Path file) throws IOException {
        return Files.readAllLines(file).stream().filter(line -> line.startsWith("#"))
                .map(line -> line.replaceFirst("#+ ", "").toLowerCase(Locale.ROOT).replaceAll("[^\\w -]", "").replace(' ', '-')).toList();
    }
}
