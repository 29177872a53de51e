package io.github.bts4j.cli;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.data.TokenCache;
import io.github.bts4j.train.data.TokenDataset;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** Options for texts by domain, shared by several commands. */
final class DataOptions {
    @Option(names = "--data", paramLabel = "DOMAIN=PATH", required = true, description = TextOptions.DATA)
    private List<String> data = List.of();

    @Mixin
    private TextOptions texts;

    @Option(names = "--token-cache", paramLabel = "DIR", description = "Keep token ids in this folder, so that text is tokenised only once.")
    private Path cache;

    /** Texts of the usual formats, for commands that can do without. */
    static DataOptions of(List<String> data, CommandSpec command) {
        DataOptions options = new DataOptions();
        options.data = List.copyOf(data);
        options.texts = TextOptions.usual(command);
        return options;
    }

    /** The token at the end of each document, with {@code --eos}. */
    OptionalInt endMark(LlamaTokenizer tokenizer) {
        return texts.endMark(tokenizer);
    }

    List<TokenDataset> read(LlamaTokenizer tokenizer) throws IOException {
        List<TokenDataset> datasets = new ArrayList<>();
        for (TextOptions.Domain domain : texts.domains(data)) {
            TextOptions.Encoded encoded = texts.encoded(domain, tokenizer);
            datasets.add(cache == null ? TokenDataset.encode(domain.name(), domain.source(), encoded.encoder())
                    : TokenCache.open(cache).dataset(domain.name(), domain.source(), encoded.encoder(), encoded.identity()));
        }
        return datasets;
    }

    /** Where a template is given, a model that learnt from conversations has it beside its weights. */
    void writeTemplate(Path folder) throws IOException {
        texts.writeTemplate(folder);
    }
}
