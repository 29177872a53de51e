package io.github.bts4j.cli;

import io.github.bts4j.core.DataException;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.parquet.ParquetChat;
import io.github.bts4j.parquet.ParquetText;
import io.github.bts4j.train.data.ChatEncoder;
import io.github.bts4j.train.data.ChatLines;
import io.github.bts4j.train.data.DocumentsEncoder;
import io.github.bts4j.train.data.JsonLines;
import io.github.bts4j.train.data.PlainText;
import io.github.bts4j.train.data.TextKind;
import io.github.bts4j.train.data.TextSource;
import io.github.bts4j.train.data.TokenEncoder;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Options for how texts are read and encoded. */
final class TextOptions {
    static final String DATA = "Text or conversations of a domain; repeat for each domain. JSON lines, Parquet or plain text (also .gz or .zst), or a folder of one kind.";

    /** The number of skipped files that a message names. */
    private static final int NAMED = 5;

    @Option(names = "--format", paramLabel = "KIND", description = "Kind of the files: jsonl, parquet, text, or chat for conversations in JSON lines or Parquet (default: detected from content and name).")
    private Format format;

    @Option(names = "--chat-template", paramLabel = "FILE", description = "Jinja chat template for conversations (default: the model's own).")
    private Path chatTemplate;

    @Option(names = "--field", defaultValue = "text", description = "JSON field or Parquet column with the text (default: ${DEFAULT-VALUE}).")
    private String field;

    @Option(names = "--max-bad-lines", defaultValue = "0", paramLabel = "N", description = "Invalid JSON lines that may be skipped per domain (default: ${DEFAULT-VALUE}).")
    @Within(least = 0, most = Within.COUNT)
    private int maxBadLines;

    @Option(names = "--eos", description = "End each document with the tokenizer's end token.")
    private boolean eos;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** Kinds by their names on the command line. */
    private enum Format {
        JSONL(TextKind.JSON_LINES), PARQUET(TextKind.PARQUET), TEXT(TextKind.PLAIN_TEXT), CHAT;

        private final Optional<TextKind> kind;

        Format() {
            this.kind = Optional.empty();
        }

        Format(TextKind kind) {
            this.kind = Optional.of(kind);
        }
    }

    /** A domain's text; conversations are rendered by a chat template. */
    record Domain(String name, TextSource source, boolean chat) {}

    /** How a domain's text becomes tokens. */
    record Encoded(Encoding encoding, DocumentsEncoder encoder, String identity) {}

    /** Texts of the usual formats. */
    static TextOptions usual(CommandSpec command) {
        TextOptions options = new TextOptions();
        options.field = "text";
        options.command = command;
        return options;
    }

    /** The token at the end of each document, with {@code --eos}. */
    OptionalInt endMark(LlamaTokenizer tokenizer) {
        return eos ? OptionalInt.of(tokenizer.eosTokenId().orElseThrow(() -> new IllegalArgumentException("--eos: the tokenizer has no end token"))) : OptionalInt.empty();
    }

    /** The domains of {@code --data}. */
    List<Domain> domains(List<String> data) {
        List<Domain> domains = new ArrayList<>();
        for (String each : data) {
            String[] pair = Models.pair("--data", each);
            if (domains.stream().anyMatch(domain -> domain.name().equals(pair[0]))) {
                throw new IllegalArgumentException("--data " + each + ": the domain '" + pair[0] + "' was given twice; put its files into one folder, or use another name");
            }
            if (!Files.exists(Path.of(pair[1]))) {
                throw new IllegalArgumentException("--data " + each + " does not exist");
            }
            domains.add(domain(each, pair[0], Path.of(pair[1])));
        }
        return domains;
    }

    private Domain domain(String option, String name, Path path) {
        TextKind kind = kind(option, path);
        boolean chat = format == Format.CHAT || format == null && isChat(kind, path);
        TextSource source = chat ? conversations(option, kind, path) : text(kind, path);
        report(option, path, kind.leftOut(path));
        return new Domain(name, source, chat);
    }

    /** How a domain is encoded. */
    Encoded encoded(Domain domain, LlamaTokenizer tokenizer) throws IOException {
        OptionalInt mark = endMark(tokenizer);
        Path file = tokenizer.path();
        Path model = Checkpoint.isGguf(file) ? file : file.toAbsolutePath().getParent();
        Encoding encoding = new Encoding(model.toAbsolutePath().toString(), tokenizer.sha256(), mark.orElse(Encoding.NONE), domain.chat(), domain.chat() ? template() : "");
        TokenEncoder encoder = encoding.encoder(tokenizer, model);
        return new Encoded(encoding, DocumentsEncoder.parallel(encoder), encoder instanceof ChatEncoder chat ? chat.identity() : TokenEncoder.identity(tokenizer) + (mark.isPresent() ? ", end token " + mark.getAsInt() : ""));
    }

    /** Where a template is given, a model that learnt from conversations has it beside its weights. */
    void writeTemplate(Path folder) throws IOException {
        if (chatTemplate != null) {
            AtomicFiles.write(folder.resolve("chat_template.jinja"), Files.readAllBytes(chatTemplate));
        }
    }

    /** The given template; empty if it is the model's own. */
    private String template() throws IOException {
        if (chatTemplate == null) {
            return "";
        }
        if (!Files.isRegularFile(chatTemplate)) {
            throw new IllegalArgumentException("--chat-template " + chatTemplate + " is no file: give a Jinja template, such as a model's chat_template.jinja");
        }
        try {
            return Files.readString(chatTemplate);
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("--chat-template " + chatTemplate + " is not UTF-8 text: convert it", e);
        }
    }

    private TextKind kind(String option, Path path) {
        try {
            return format == null || format.kind.isEmpty() ? TextKind.of(path) : format.kind.get();
        } catch (DataException e) {
            throw new IllegalArgumentException("--data " + option + ": " + e.getMessage() + (e.getCause() instanceof IOException ? "" : "; --format sets the kind"), e);
        }
    }

    private boolean isChat(TextKind kind, Path path) {
        return switch (kind) {
            case JSON_LINES -> ChatLines.areIn(path, field);
            case PARQUET -> ParquetChat.isIn(path, field);
            case PLAIN_TEXT -> false;
        };
    }

    private TextSource conversations(String option, TextKind kind, Path path) {
        return switch (kind) {
            case JSON_LINES -> new ChatLines(path, maxBadLines);
            case PARQUET -> new ParquetChat(path);
            case PLAIN_TEXT -> throw new IllegalArgumentException("--data " + option + " --format chat: plain text holds no conversations; give JSON lines or Parquet");
        };
    }

    private TextSource text(TextKind kind, Path path) {
        return switch (kind) {
            case JSON_LINES -> new JsonLines(path, field, maxBadLines);
            case PARQUET -> new ParquetText(path, field);
            case PLAIN_TEXT -> new PlainText(path);
        };
    }

    private void report(String option, Path path, List<Path> leftOut) {
        if (!leftOut.isEmpty()) {
            String names = leftOut.stream().limit(NAMED).map(file -> path.relativize(file).toString()).collect(Collectors.joining(", "));
            command.commandLine().getErr().println("--data " + option + ": skipped " + names + (leftOut.size() > NAMED ? " and " + (leftOut.size() - NAMED) + " more" : ""));
        }
    }
}
