package io.github.bts4j.cli;

import io.github.bts4j.core.chat.ChatMessage;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.text.TextModel;
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

@Command(name = "chat", description = "Chat with a model. Each line is a message; an empty line or end of input ends the chat.",
        footer = {"", "Examples:", "  bts chat stitched", "  bts chat model.gguf --temperature 0 --max-tokens 200"})
final class ChatCommand extends OutputCommand {
    @Parameters(paramLabel = "MODEL", description = "A checkpoint folder, a GGUF file, or a stitch checkpoint's folder.")
    private Path model;

    @Option(names = "--system", description = "The system message.")
    private String system;

    @Option(names = "--template", paramLabel = "NAME", description = "llama2 or llama3 (default: the checkpoint's chat template).")
    private String template;

    @Mixin
    private SamplingOptions sampling;

    @Mixin
    private Models models;

    /** The model with the named template, or with its own if there is no name. */
    static TextModel withTemplate(TextModel model, String name) {
        return name == null ? model : model.withChatTemplate(template(name));
    }

    private static ChatTemplate template(String name) {
        return switch (name) {
            case "llama2" -> ChatTemplate.llama2();
            case "llama3" -> ChatTemplate.llama3();
            default -> throw new IllegalArgumentException("--template " + name + " is neither llama2 nor llama3");
        };
    }

    @Override
    public Integer call() throws IOException {
        PrintWriter out = output();
        try (TextModel opened = models.open(model)) {
            TextModel text = withTemplate(opened, template);
            text.requireChatTemplate();
            List<ChatMessage> messages = new ArrayList<>();
            if (system != null) {
                messages.add(ChatMessage.system(system));
            }
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = ask(in, out); line != null && !line.isBlank(); line = ask(in, out)) {
                messages.add(ChatMessage.user(line));
                try (TokenStream stream = text.streamChat(messages, sampling.config())) {
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
