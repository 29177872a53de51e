package io.github.bts4j.examples.cli;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.parquet.ParquetText;
import io.github.bts4j.train.data.JsonLines;
import io.github.bts4j.train.data.PlainText;
import io.github.bts4j.train.data.TextSource;
import io.github.bts4j.train.data.TokenCache;
import io.github.bts4j.train.data.TokenDataset;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** Text by domain; options of several commands. */
final class DataOptions {
    @Option(names = "--data", paramLabel = "DOMAIN=PATH", required = true,
            description = "Text of a domain; repeat for every domain. A .jsonl, .parquet or .txt file, also .gz or .zst, or a folder of one kind.")
    private List<String> data = List.of();

    @Option(names = "--field", defaultValue = "text", description = "JSON field or Parquet column that holds the text (default: ${DEFAULT-VALUE}).")
    private String field;

    @Option(names = "--max-bad-lines", defaultValue = "0", paramLabel = "N", description = "JSON lines that may be left out per domain (default: ${DEFAULT-VALUE}).")
    private int maxBadLines;

    @Option(names = "--eos", description = "End every document with the tokenizer's end mark.")
    private boolean eos;

    @Option(names = "--token-cache", paramLabel = "DIR", description = "Keep the token ids in this folder, so that text is encoded once.")
    private Path cache;

    List<TokenDataset> read(LlamaTokenizer tokenizer) throws IOException {
        List<TokenDataset> datasets = new ArrayList<>();
        OptionalInt mark = eos ? OptionalInt.of(tokenizer.eosTokenId().orElseThrow(() -> new IllegalArgumentException("--eos: the tokenizer has no end mark"))) : OptionalInt.empty();
        for (String each : data) {
            String[] pair = Models.pair("--data", each);
            if (!Files.exists(Path.of(pair[1]))) {
                throw new IllegalArgumentException("--data " + each + " does not exist");
            }
            TextSource source = source(Path.of(pair[1]));
            datasets.add(cache == null ? TokenDataset.encode(pair[0], source, text -> tokenizer.encode(text, true), mark)
                    : TokenCache.open(cache).dataset(pair[0], source, text -> tokenizer.encode(text, true), tokenizer.sha256() + " with special tokens", mark));
        }
        return datasets;
    }

    private TextSource source(Path path) throws IOException {
        String name = path.getFileName().toString().replaceFirst("\\.(gz|zst)$", "");
        if (Files.isDirectory(path)) {
            try (Stream<Path> files = Files.walk(path)) {
                name = files.filter(Files::isRegularFile).map(file -> file.getFileName().toString().replaceFirst("\\.(gz|zst)$", ""))
                        .filter(file -> file.endsWith(".jsonl") || file.endsWith(".parquet")).findFirst().orElse("text");
            }
        }
        if (name.endsWith(".jsonl")) {
            return new JsonLines(path, field, maxBadLines);
        }
        return name.endsWith(".parquet") ? new ParquetText(path, field) : new PlainText(path);
    }
}
