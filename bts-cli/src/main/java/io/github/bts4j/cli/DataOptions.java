package io.github.bts4j.cli;

import io.github.bts4j.core.DataException;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.parquet.ParquetText;
import io.github.bts4j.train.data.JsonLines;
import io.github.bts4j.train.data.PlainText;
import io.github.bts4j.train.data.TextKind;
import io.github.bts4j.train.data.TextSource;
import io.github.bts4j.train.data.TokenCache;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.TokenEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Options for texts by domain, shared by several commands. */
final class DataOptions {
    /** The number of skipped files that a message names. */
    private static final int NAMED = 5;

    @Option(names = "--data", paramLabel = "DOMAIN=PATH", required = true,
            description = "Text of a domain; repeat for each domain. JSON lines, Parquet or plain text (also .gz or .zst), or a folder of one kind.")
    private List<String> data = List.of();

    @Option(names = "--format", paramLabel = "KIND", description = "Kind of the files: jsonl, parquet or text (default: detected from content and name).")
    private Format format;

    @Option(names = "--field", defaultValue = "text", description = "JSON field or Parquet column with the text (default: ${DEFAULT-VALUE}).")
    private String field;

    @Option(names = "--max-bad-lines", defaultValue = "0", paramLabel = "N", description = "Invalid JSON lines that may be skipped per domain (default: ${DEFAULT-VALUE}).")
    @Within(least = 0, most = Within.COUNT)
    private int maxBadLines;

    @Option(names = "--eos", description = "End each document with the tokenizer's end token.")
    private boolean eos;

    @Option(names = "--token-cache", paramLabel = "DIR", description = "Keep token ids in this folder, so that text is tokenised only once.")
    private Path cache;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** Kinds by their names on the command line. */
    private enum Format {
        JSONL(TextKind.JSON_LINES), PARQUET(TextKind.PARQUET), TEXT(TextKind.PLAIN_TEXT);

        private final TextKind kind;

        Format(TextKind kind) {
            this.kind = kind;
        }
    }

    /** The token at the end of each document, with {@code --eos}. */
    OptionalInt endMark(LlamaTokenizer tokenizer) {
        return eos ? OptionalInt.of(tokenizer.eosTokenId().orElseThrow(() -> new IllegalArgumentException("--eos: the tokenizer has no end token"))) : OptionalInt.empty();
    }

    List<TokenDataset> read(LlamaTokenizer tokenizer) throws IOException {
        List<TokenDataset> datasets = new ArrayList<>();
        OptionalInt mark = endMark(tokenizer);
        for (String each : data) {
            String[] pair = Models.pair("--data", each);
            if (datasets.stream().anyMatch(dataset -> dataset.name().equals(pair[0]))) {
                throw new IllegalArgumentException("--data " + each + ": the domain '" + pair[0] + "' was given twice; put its files into one folder, or use another name");
            }
            if (!Files.exists(Path.of(pair[1]))) {
                throw new IllegalArgumentException("--data " + each + " does not exist");
            }
            TextSource source = source(each, Path.of(pair[1]));
            datasets.add(cache == null ? TokenDataset.encode(pair[0], source, TokenEncoder.of(tokenizer), mark)
                    : TokenCache.open(cache).dataset(pair[0], source, TokenEncoder.of(tokenizer), TokenEncoder.identity(tokenizer), mark));
        }
        return datasets;
    }

    private TextSource source(String option, Path path) {
        TextKind kind;
        try {
            kind = format == null ? TextKind.of(path) : format.kind;
        } catch (DataException e) {
            throw new IllegalArgumentException("--data " + option + ": " + e.getMessage() + (e.getCause() instanceof IOException ? "" : "; --format sets the kind"), e);
        }
        tell(option, path, kind.leftOut(path));
        return switch (kind) {
            case JSON_LINES -> new JsonLines(path, field, maxBadLines);
            case PARQUET -> new ParquetText(path, field);
            case PLAIN_TEXT -> new PlainText(path);
        };
    }

    private void tell(String option, Path path, List<Path> leftOut) {
        if (!leftOut.isEmpty()) {
            String names = leftOut.stream().limit(NAMED).map(file -> path.relativize(file).toString()).collect(Collectors.joining(", "));
            command.commandLine().getErr().println("--data " + option + ": skipped " + names + (leftOut.size() > NAMED ? " and " + (leftOut.size() - NAMED) + " more" : ""));
        }
    }
}
