package io.github.bts4j.cli;

import io.github.bts4j.core.FrozenLm;
import io.github.bts4j.core.chat.ChatMessage;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "chat", description = "Talk with a model; one line is one message, an empty line or the end of the input ends.",
        footer = {"", "Examples:", "  bts chat stitched", "  bts chat model.gguf --temperature 0 --max-tokens 200"})
final class ChatCommand extends OutputCommand {
    @Parameters(paramLabel = "MODEL", description = "A checkpoint folder, a GGUF file, or a stitch checkpoint's folder.")
    private Path model;

    @Option(names = "--system", description = "What the model is told before the conversation.")
    private String system;

    @Option(names = "--template", paramLabel = "NAME", description = "llama2 or llama3; the checkpoint's own chat template if not given.")
    private String template;

    @Mixin
    private SamplingOptions sampling;

    @Mixin
    private Models models;

    static ChatTemplate template(String name, Path files) throws IOException {
        if (name == null) {
            return ChatTemplate.of(files);
        }
        return switch (name) {
            case "llama2" -> ChatTemplate.llama2();
            case "llama3" -> ChatTemplate.llama3();
            default -> throw new IllegalArgumentException("--template " + name + " is neither llama2 nor llama3");
        };
    }

    @Override
    public Integer call() throws IOException {
        PrintWriter out = output();
        try (FrozenLm lm = models.open(model); LlamaTokenizer tokenizer = LlamaTokenizer.open(Models.files(model, lm))) {
            ChatTemplate chat = template(template, Models.files(model, lm));
            Generator generator = new Generator(lm, tokenizer);
            List<ChatMessage> messages = new ArrayList<>();
            if (system != null) {
                messages.add(ChatMessage.system(system));
            }
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = ask(in, out); line != null && !line.isBlank(); line = ask(in, out)) {
                messages.add(ChatMessage.user(line));
                try (TokenStream stream = generator.stream(chat.encode(tokenizer, messages, true), sampling.config(lm))) {
                    while (stream.hasNext()) {
                        out.print(stream.next().text());
                        out.flush();
                    }
                    messages.add(ChatMessage.assistant(stream.result().text()));
                    out.println();
                }
            }
            return 0;
        }
    }

    private static String ask(BufferedReader in, PrintWriter out) throws IOException {
        out.print("> ");
        out.flush();
        return in.readLine();
    }
}
