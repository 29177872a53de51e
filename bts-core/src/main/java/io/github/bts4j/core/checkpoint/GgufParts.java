package io.github.bts4j.core.checkpoint;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * The files of a GGUF model that llama.cpp's {@code llama-gguf-split} has split. They are in one folder and named {@code NAME-00001-of-00003.gguf} and so on; the first one is the file to open.
 *
 * @param number the number of a file, from 1 on
 * @param files all of them in order; one file if the model is not split
 */
public record GgufParts(int number, List<Path> files) {
    private static final Pattern NAME = Pattern.compile("(.*-)(\\d{5})-of-(\\d{5})(\\.gguf)", Pattern.DOTALL);

    /**
     * Copies the list.
     *
     * @param number the number of a file
     * @param files all of them in order
     */
    public GgufParts {
        files = List.copyOf(files);
    }

    /**
     * The files to which one belongs, as its name says. No file is read.
     *
     * @param file a GGUF file
     * @return the parts, or the file alone
     */
    public static GgufParts of(Path file) {
        Matcher name = NAME.matcher(String.valueOf(file.getFileName()));
        int count = name.matches() ? Integer.parseInt(name.group(3)) : 1;
        if (count < 2) {
            return new GgufParts(1, List.of(file));
        }
        return new GgufParts(Integer.parseInt(name.group(2)), IntStream.rangeClosed(1, count)
                .mapToObj(i -> file.resolveSibling(String.format(Locale.ROOT, "%s%05d-of-%s%s", name.group(1), i, name.group(3), name.group(4)))).toList());
    }

    /**
     * Refuses a part that is not the first.
     *
     * @param file the file that was given
     * @throws ModelFormatException if it is another one
     */
    public void requireFirst(Path file) {
        throwIf(number != 1, () -> new ModelFormatException(file, "is part " + number + " of " + files.size() + " of a model: open the first one, " + files.get(0).getFileName()));
    }
}
