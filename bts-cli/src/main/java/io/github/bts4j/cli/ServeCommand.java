package io.github.bts4j.cli;

import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.server.ModelServer;
import io.github.bts4j.server.ServedModel;
import io.github.bts4j.server.ServerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "serve", description = "Serve a model over HTTP with OpenAI's API, until the process is stopped.",
        footer = {"", "Examples:", "  bts serve stitched", "  bts serve model.gguf --port 9000 --template llama3"})
final class ServeCommand extends OutputCommand {
    @Parameters(paramLabel = "MODEL", description = "A checkpoint folder, a GGUF file, or a stitch checkpoint's folder.")
    private Path model;

    @Option(names = "--name", description = "Name of the model in requests (default: the last part of its path).")
    private String name;

    @Option(names = "--host", defaultValue = "127.0.0.1", description = "Address to listen on; other machines cannot reach the default, ${DEFAULT-VALUE}.")
    private String host;

    @Option(names = "--port", paramLabel = "N", defaultValue = "8080", description = "Port; 0 for any (default: ${DEFAULT-VALUE}).")
    @Within(least = 0, most = 65_535)
    private int port;

    @Option(names = "--api-key-variable", paramLabel = "NAME", description = "Environment variable with the key that clients must send.")
    private String apiKeyVariable;

    @Option(names = "--policy", paramLabel = "FILE", description = "YAML or JSON file with API keys, the experts that each may use, and quotas.")
    private Path policy;

    @Option(names = "--audit", description = "Log one line of JSON for each request (logger bts4j.audit, on standard error): key, experts, tokens, stop reason, time, status.")
    private boolean audit;

    @Option(names = "--expert-metrics", description = "Measure each expert's share in all answers, for /metrics and --audit; of stitched models.")
    private boolean expertMetrics;

    @Option(names = "--max-batch", paramLabel = "N", defaultValue = "8", description = "Maximum number of running sequences (default: ${DEFAULT-VALUE}).")
    @Within(least = 1, most = 1024)
    private int maxBatch;

    @Option(names = "--max-queue", paramLabel = "N", defaultValue = "512", description = "Maximum number of waiting sequences (default: ${DEFAULT-VALUE}).")
    @Within(least = 1, most = 1_000_000)
    private int maxQueue;

    @Option(names = "--max-tokens", paramLabel = "N", defaultValue = "4096", description = "Maximum number of new tokens per sequence (default: ${DEFAULT-VALUE}).")
    @Within(least = 1, most = 1_048_576)
    private int maxTokens;

    @Option(names = "--prefix-cache", paramLabel = "MIB", defaultValue = "512",
            description = "Memory for the states of prompts that begin alike, in MiB; 0 for none (default: ${DEFAULT-VALUE}).")
    @Within(least = 0, most = 1_048_576)
    private int prefixCache;

    @Option(names = "--timeout", defaultValue = "600", paramLabel = "SECONDS", description = "Maximum time for a response (default: ${DEFAULT-VALUE}).")
    @Within(least = 1, most = 604_800)
    private int timeout;

    @Option(names = "--allow-host", paramLabel = "NAME",
            description = "Host name, without a port, that clients may use besides the address and localhost; * for any. May be repeated.")
    private List<String> allowedHosts = List.of();

    @Option(names = "--allow-origin", paramLabel = "ORIGIN",
            description = "Origin of web pages that may use the server, such as https://app.example; * for any. May be repeated.")
    private List<String> allowedOrigins = List.of();

    @Option(names = "--template", paramLabel = "NAME", description = "llama2 or llama3 (default: the checkpoint's chat template).")
    private String template;

    @Mixin
    private Models models;

    @Option(names = "--json", description = "Print one JSON object with the model and its address.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        ServerConfig config = config();
        try (TextModel text = models.open(model)) {
            String called = name == null ? model.toAbsolutePath().normalize().getFileName().toString() : name;
            ServedModel served = new ServedModel(called, ChatCommand.withTemplate(text, template));
            boolean chat = served.model().chatTemplate().isPresent();
            CountDownLatch stopped = new CountDownLatch(1);
            CountDownLatch closed = new CountDownLatch(1);
            Thread hook = new Thread(() -> {
                stopped.countDown();
                try {
                    closed.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            try (ModelServer server = ModelServer.start(served, config)) {
                Runtime.getRuntime().addShutdownHook(hook);
                output().println(json
                        ? Outcome.object().put("model", called).put("uri", server.uri() + "/v1").put("page", server.uri() + "/").put("chat", chat).toString()
                        : called + " is served at " + server.uri() + "/v1, with a page at " + server.uri() + "/"
                                + (chat ? "" : " (no chat template: completions only; --template llama2 or llama3 gives it one)"));
                stopped.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // stop as on a signal
            } finally {
                closed.countDown(); // always: otherwise the hook would keep the process from ending
            }
            return 0;
        }
    }

    private ServerConfig config() {
        ServerConfig config = ServerConfig.DEFAULT.listeningOn(host, port).withConcurrency(maxBatch, maxQueue)
                .withLimits(maxTokens, ServerConfig.DEFAULT.limits().maxBodyBytes())
                .withTimeouts(ServerConfig.DEFAULT.timeouts().body(), Duration.ofSeconds(timeout), ServerConfig.DEFAULT.timeouts().shutdown())
                .withPrefixCache((long) prefixCache << 20)
                .allowing(allowedHosts, allowedOrigins).observing(new ServerConfig.Observation(audit, expertMetrics));
        if (policy != null) {
            config = config.withPolicy(PolicyFile.read(policy));
        }
        if (apiKeyVariable != null) {
            String key = System.getenv(apiKeyVariable);
            if (key == null || key.isBlank()) {
                throw new IllegalArgumentException("--api-key-variable: the environment variable " + apiKeyVariable + " is not set");
            }
            config = config.withApiKey(key);
        }
        return config;
    }
}
