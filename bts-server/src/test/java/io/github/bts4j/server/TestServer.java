package io.github.bts4j.server;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.GenerationResult;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.ExpertTraining;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/** A server over a stitched model of random weights, lively enough that its texts differ, and a client. */
final class TestServer implements AutoCloseable {
    static final ObjectMapper JSON = new ObjectMapper();
    static final ServerConfig CONFIG = ServerConfig.DEFAULT.listeningOn("127.0.0.1", 0);
    private static final int CONTEXT = 2048;

    final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    final LlamaTokenizer tokenizer;
    final StitchedModel model;
    final Generator generator;
    final TextModel text;
    final ModelServer server;

    TestServer(Path folder, ServerConfig config) throws IOException {
        this(folder, config, CONTEXT);
    }

    TestServer(Path folder, ServerConfig config, int context) throws IOException {
        this(folder, config, context, true, false);
    }

    /** Whose answers end with the tokens that were asked for, and not before. */
    static TestServer withoutEndToken(Path folder, ServerConfig config) throws IOException {
        return new TestServer(folder, config, CONTEXT, false, false);
    }

    /** Without an end token, and with gates that differ between tokens, stitches and models. */
    static TestServer withRandomGates(Path folder, ServerConfig config) throws IOException {
        return new TestServer(folder, config, CONTEXT, false, true);
    }

    private TestServer(Path folder, ServerConfig config, int context, boolean endToken, boolean randomGates) throws IOException {
        Path files = Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer");
        LlamaConfig small = LlamaConfig.builder().vocabSize(2048).hiddenSize(48).intermediateSize(96).numLayers(4).numHeads(4).numKvHeads(2)
                .maxPositionEmbeddings(context).build();
        String[] names = {"seed", "code"};
        for (int i = 0; i < names.length; i++) {
            try (ExpertTraining random = ExpertTraining.fromScratch(small, 0.4, i, Device.cpu())) {
                random.save(folder.resolve(names[i]), files);
            }
        }
        tokenizer = LlamaTokenizer.open(files);
        model = StitchedModel.builder().hub(folder.resolve("seed")).expert("code", folder.resolve("code")).config(StitchConfig.evenly(4, 2)).open();
        if (randomGates) {
            SplittableRandom random = new SplittableRandom(5);
            Map<String, NDArray> tensors = new HashMap<>(model.stitchTensors());
            tensors.replaceAll((name, tensor) -> {
                float[] values = tensor.toFloatArray();
                for (int i = 0; i < values.length; i++) {
                    values[i] += (float) random.nextDouble(-0.5, 0.5);
                }
                return model.getNDManager().create(values, tensor.getShape());
            });
            model.setStitchTensors(tensors);
            tensors.values().forEach(NDArray::close);
        }
        text = TextModel.of(model, tokenizer).withEndTokens(endToken ? Set.of(tokenizer.eosTokenId().orElseThrow()) : Set.of());
        generator = text.generator();
        server = ModelServer.start(new ServedModel("tiny", text.withChatTemplate(ChatTemplate.llama2())), config);
    }

    URI uri(String path) {
        return server.uri().resolve(path);
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return client.send(HttpRequest.newBuilder(uri(path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
        return client.send(request(path, body), HttpResponse.BodyHandlers.ofString());
    }

    HttpRequest request(String path, String body) {
        return HttpRequest.newBuilder(uri(path)).header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body)).build();
    }

    /** Sends bytes as they are, and reads until the other side closes, or for so long nothing comes. */
    static String raw(ModelServer server, String text, int silenceMilliseconds) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", server.uri().getPort())) {
            socket.setSoTimeout(silenceMilliseconds);
            socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            byte[] buffer = new byte[4096];
            try {
                for (int read = socket.getInputStream().read(buffer); read >= 0; read = socket.getInputStream().read(buffer)) {
                    answer.write(buffer, 0, read);
                }
            } catch (SocketTimeoutException e) {
                return answer.toString(StandardCharsets.ISO_8859_1);
            }
            return answer.toString(StandardCharsets.ISO_8859_1);
        }
    }

    /** Another server's answer to a request. */
    static HttpResponse<String> post(ModelServer server, String path, String body) throws IOException, InterruptedException {
        return HttpClient.newHttpClient().send(HttpRequest.newBuilder(server.uri().resolve(path)).header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body)).build(), HttpResponse.BodyHandlers.ofString());
    }

    /** The answer to a request that is to succeed. */
    JsonNode ask(String path, String body) throws IOException, InterruptedException {
        HttpResponse<String> response = post(path, body);
        if (response.statusCode() != 200) {
            throw new AssertionError(response.statusCode() + " " + response.body());
        }
        return JSON.readTree(response.body());
    }

    /** The parts of a stream; the last line must be [DONE]. */
    List<JsonNode> stream(String path, String body) throws IOException, InterruptedException {
        HttpResponse<String> response = post(path, body);
        String text = response.body();
        if (response.statusCode() != 200 || !text.endsWith("data: [DONE]\n\n")) {
            throw new AssertionError(response.statusCode() + " " + text);
        }
        return text.lines().filter(line -> line.startsWith("data: {")).map(line -> {
            try {
                return JSON.readTree(line.substring(6));
            } catch (IOException e) {
                throw new AssertionError(line, e);
            }
        }).toList();
    }

    /** A number from /metrics, without labels. */
    double metric(String name) throws IOException, InterruptedException {
        return metric(get("/metrics"), name);
    }

    /** A number from an answer of /metrics, without labels. */
    static double metric(HttpResponse<String> metrics, String name) {
        return metrics.body().lines().filter(line -> line.startsWith(name + " ")).mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
                .findFirst().orElseThrow(() -> new AssertionError("no metric " + name));
    }

    /** What the server's generator gives in this process. */
    GenerationResult generated(int[] prompt, GenerationConfig config) {
        try (TokenStream stream = generator.stream(prompt, config)) {
            while (stream.hasNext()) {
                stream.next();
            }
            return stream.result();
        }
    }

    /** Of what hub, expert and stitches make together. */
    Tolerance tolerance(int tokens) {
        return Tolerance.of(model.models().get(0).config(), tokens, Precision.FLOAT32).times(3);
    }

    @Override
    public void close() {
        server.close();
        text.close();
    }
}
