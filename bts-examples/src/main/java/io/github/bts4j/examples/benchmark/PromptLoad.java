package io.github.bts4j.examples.benchmark;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.support.JsonReader;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Measures how a running server deals with long prompts: {@code shared}, many clients whose prompts begin with the same tokens; {@code pause}, streams while a long prompt is
 * processed; {@code schema}, the time per token with a JSON schema and without. Every answer is compared with the one that the server gives to the same request alone. Arguments:
 * the server's address, the model's name, what to measure, clients and the prompt's length in tokens, and {@code -Drounds}; prints one JSON object.
 */
public final class PromptLoad {
    private static final int VOCABULARY = 2000; // of the bundled tokenizer
    private static final int OWN = 30; // tokens of a prompt after the shared ones
    private static final int ROUNDS = Integer.getInteger("rounds", 3);
    private static final String SCHEMA = """
            {"type": "array", "minItems": 64, "items": {"type": "object", "properties": {"name": {"type": "string", "minLength": 5}, "kind": {"enum": ["first", "second", "third"]},
            "count": {"type": "integer", "minimum": 0}}, "required": ["name", "kind", "count"], "additionalProperties": false}}""";

    private final URI address;
    private final String model;
    private final SplittableRandom random = new SplittableRandom(); // prompts that the server has not seen yet

    private PromptLoad(URI address, String model) {
        this.address = address;
        this.model = model;
    }

    /**
     * Measures.
     *
     * @param arguments see the class
     * @throws IOException if the server does not answer
     * @throws InterruptedException if interrupted
     */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        PromptLoad load = new PromptLoad(URI.create(arguments[0]).resolve("/v1/completions"), arguments[1]);
        int clients = Integer.parseInt(arguments[3]);
        int tokens = Integer.parseInt(arguments[4]);
        System.out.println(switch (arguments[2]) {
            case "shared" -> load.shared(clients, tokens);
            case "pause" -> load.pause(clients, tokens);
            case "schema" -> load.schema(clients);
            default -> throw new IllegalArgumentException(arguments[2] + " must be shared, pause or schema");
        });
    }

    private int[] tokens(int count) {
        return random.ints(count, 300, VOCABULARY).toArray();
    }

    private ObjectNode request(int maxTokens, int... prompt) {
        ObjectNode request = JsonReader.object().put("model", model).put("max_tokens", maxTokens).put("temperature", 0).put("logprobs", 0);
        ArrayNode ids = request.putArray("prompt");
        Arrays.stream(prompt).forEach(ids::add);
        return request;
    }

    private CompletionStream ask(ObjectNode request) {
        try {
            return CompletionStream.read(address, request.deepCopy(), Integer.MAX_VALUE);
        } catch (IOException e) {
            throw new CompletionException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CompletionException(e);
        }
    }

    private List<CompletionStream> together(List<ObjectNode> requests) {
        ExecutorService pool = Executors.newFixedThreadPool(requests.size());
        try {
            List<CompletableFuture<CompletionStream>> asked = requests.stream().map(request -> CompletableFuture.supplyAsync(() -> ask(request), pool)).toList();
            return asked.stream().map(CompletableFuture::join).toList();
        } finally {
            pool.shutdown();
        }
    }

    /** Each round has another beginning that its clients share; the first one of a round finds none of it. */
    private ObjectNode shared(int clients, int length) {
        List<Double> firsts = new ArrayList<>();
        int different = 0;
        for (int round = 0; round <= ROUNDS; round++) {
            int[] system = tokens(length);
            List<ObjectNode> requests = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                int[] prompt = Arrays.copyOf(system, length + OWN);
                System.arraycopy(tokens(OWN), 0, prompt, length, OWN);
                requests.add(request(16, prompt));
            }
            List<CompletionStream> answers = together(requests);
            if (round > 0) { // the first one warms up
                answers.forEach(answer -> firsts.add(answer.first()));
            }
            different += (int) java.util.stream.IntStream.range(0, Math.min(4, clients)).filter(i -> !ask(requests.get(i)).text().equals(answers.get(i).text())).count();
        }
        firsts.sort(null);
        return JsonReader.object().put("clients", clients).put("shared_tokens", length).put("first_token_mean_s", firsts.stream().mapToDouble(x -> x).average().orElseThrow())
                .put("first_token_median_s", firsts.get(firsts.size() / 2)).put("first_token_most_s", firsts.get(firsts.size() - 1)).put("different_from_alone", different);
    }

    private ObjectNode pause(int clients, int length) throws InterruptedException {
        List<Double> pauses = new ArrayList<>();
        List<Double> seconds = new ArrayList<>();
        int different = 0;
        for (int round = 0; round <= ROUNDS; round++) {
            List<ObjectNode> streams = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                streams.add(request(100, tokens(20)));
            }
            ObjectNode longOne = request(1, tokens(length));
            long begin = System.nanoTime();
            CompletableFuture<List<CompletionStream>> others = CompletableFuture.supplyAsync(() -> together(streams));
            Thread.sleep(1000);
            double from = (System.nanoTime() - begin) / 1e9;
            CompletionStream prompt = ask(longOne);
            double to = (System.nanoTime() - begin) / 1e9;
            List<CompletionStream> answers = others.join();
            if (round > 0) {
                seconds.add(prompt.first());
                answers.forEach(answer -> pauses.add(answer.longestPause(from, to)));
            }
            different += ask(streams.get(0)).text().equals(answers.get(0).text()) ? 0 : 1;
        }
        pauses.sort(null);
        ObjectNode result = JsonReader.object().put("streams", clients).put("prompt_tokens", length).put("longest_pause_s", pauses.get(pauses.size() - 1))
                .put("longest_pause_median_s", pauses.get(pauses.size() / 2)).put("different_from_alone", different);
        seconds.forEach(result.putArray("prompt_s")::add);
        return result;
    }

    /** In pairs, one after the other. */
    private ObjectNode schema(int clients) {
        List<Double> ratios = new ArrayList<>();
        double free = 0;
        for (int round = 0; round <= 2 * ROUNDS; round++) {
            List<ObjectNode> plain = new ArrayList<>();
            List<ObjectNode> bound = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                ObjectNode request = request(200, tokens(20)).put("temperature", 1).put("seed", round);
                plain.add(request);
                ObjectNode with = request.deepCopy();
                with.putObject("response_format").put("type", "json_schema").putObject("json_schema").put("name", "list").set("schema", JsonReader.LENIENT.line(SCHEMA));
                bound.add(with);
            }
            double without = together(plain).stream().mapToDouble(CompletionStream::perPart).average().orElseThrow();
            double with = together(bound).stream().mapToDouble(CompletionStream::perPart).average().orElseThrow();
            if (round > 0) {
                ratios.add(with / without);
                free += without / (2 * ROUNDS);
            }
        }
        ratios.sort(null);
        ObjectNode result = JsonReader.object().put("clients", clients).put("token_without_schema_s", free).put("ratio_median", ratios.get(ratios.size() / 2));
        ratios.forEach(result.putArray("ratios")::add);
        return result;
    }
}
