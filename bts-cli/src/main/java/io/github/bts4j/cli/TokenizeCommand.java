package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.cluster.Cluster;
import io.github.bts4j.train.data.DocumentsEncoder;
import io.github.bts4j.train.data.TokenCache;
import io.github.bts4j.train.data.TokenDataset;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "tokenize", description = "Tokenise texts into a token cache, from which other commands read them with --token-cache. What it has already is left as it is.",
        footer = {"", "Examples:", "  bts tokenize seed tokens --data code=code.jsonl --data text=general.jsonl", "  bts tokenize seed tokens --data code=code.parquet --eos --master 'local[4]'"})
final class TokenizeCommand extends OutputCommand {
    @Parameters(index = "0", paramLabel = "MODEL", description = "A model, for its tokenizer.")
    private Path model;

    @Parameters(index = "1", paramLabel = "OUT", description = "The token cache's folder, made if absent.")
    private Path out;

    @Option(names = "--data", paramLabel = "DOMAIN=PATH", required = true, description = TextOptions.DATA)
    private List<String> data;

    @Mixin
    private TextOptions texts;

    @Mixin
    private ClusterOption cluster;

    @Mixin
    private Outcome outcome;

    @Override
    public Integer call() throws IOException {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(model); Cluster there = cluster.open().orElse(null)) {
            TokenCache cache = TokenCache.open(out);
            ObjectNode result = Outcome.object().put("out", out.toString());
            ObjectNode domains = result.putObject("domains");
            StringBuilder lines = new StringBuilder();
            for (TextOptions.Domain domain : texts.domains(data)) {
                TextOptions.Encoded how = texts.encoded(domain, tokenizer);
                DocumentsEncoder encoder = there == null ? how.encoder() : new ClusterEncoder(there, how.encoding(), how.encoder().chooses());
                TokenDataset dataset = cache.dataset(domain.name(), domain.source(), encoder, how.identity());
                domains.putObject(domain.name()).put("documents", dataset.documentCount()).put("tokens", dataset.size())
                        .put("text_bytes", dataset.bytes()).put("fingerprint", dataset.fingerprint());
                lines.append(String.format(Locale.ROOT, "%s: %,d documents, %,d tokens, %,d bytes of text%n", domain.name(), dataset.documentCount(), dataset.size(), dataset.bytes()));
            }
            outcome.print(lines + "Wrote the tokens to " + out, result);
            return 0;
        }
    }
}
