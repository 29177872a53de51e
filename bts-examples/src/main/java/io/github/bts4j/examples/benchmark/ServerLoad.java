package io.github.bts4j.examples.benchmark;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Puts load on a running server: clients that stream greedy completions of mixed lengths for some time, one in ten cancelled in the middle
 * of its response. Every complete answer is compared with the one that the server gave to the same request alone. Arguments: the server's
 * address, the model's name, clients, seconds, and the server's process number, for its memory (Linux); prints one JSON object.
 */
public final class ServerLoad {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String[] PROMPTS = {"It is a truth", "public static boolean", "The sum of", "El hombre", "A", "When the day came, nobody knew", "return", "Let x be"};
    private static final int[] LENGTHS = {8, 24, 60, 120};

    private final URI address;
    private final String model;
    private final AtomicLong tokens = new AtomicLong();
    private final AtomicLong answers = new AtomicLong();
    private final AtomicLong cancelled = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();
    private final AtomicLong different = new AtomicLong();
    private final List<Double> firstTokens = Collections.synchronizedList(new ArrayList<>());
    private final List<String> errors = Collections.synchronizedList(new ArrayList<>());

    private ServerLoad(URI address, String model) {
        this.address = address;
        this.model = model;
    }

    /**
     * Runs the load.
     *
     * @param arguments see the class
     * @throws IOException if the server does not answer
     * @throws InterruptedException if interrupted
     */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        ServerLoad load = new ServerLoad(URI.create(arguments[0]).resolve("/v1/completions"), arguments[1]);
        System.out.println(load.run(Integer.parseInt(arguments[2]), Integer.parseInt(arguments[3]), Path.of("/proc", arguments[4], "status")));
    }

    /** The outcome of one request. */
    private record Answer(String text, int tokens, double firstToken) {}

    private ObjectNode run(int clients, int seconds, Path status) throws IOException, InterruptedException {
        String[][] alone = new String[PROMPTS.length][LENGTHS.length];
        for (int p = 0; p < PROMPTS.length; p++) {
            for (int l = 0; l < LENGTHS.length; l++) {
                alone[p][l] = ask(p, l, Integer.MAX_VALUE).text();
            }
        }
        long begin = System.nanoTime();
        long end = begin + seconds * 1_000_000_000L;
        List<Thread> threads = new ArrayList<>();
        for (int c = 0; c < clients; c++) {
            SplittableRandom random = new SplittableRandom(c);
            Thread thread = new Thread(() -> client(random, alone, end));
            thread.start();
            threads.add(thread);
        }
        List<Double> memory = new ArrayList<>();
        while (System.nanoTime() < end) {
            Thread.sleep(Math.max(200, seconds * 20L));
            memory.add(anonymousMib(status));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        double taken = (System.nanoTime() - begin) / 1e9;
        Collections.sort(firstTokens);
        ObjectNode result = JSON.createObjectNode().put("clients", clients).put("seconds", taken).put("answers", answers.get()).put("cancelled", cancelled.get())
                .put("refused_with_429", refused.get()).put("different_from_alone", different.get()).put("errors", errors.size())
                .put("tokens_per_s", tokens.get() / taken).put("first_token_median_s", quantile(0.5)).put("first_token_p90_s", quantile(0.9))
                .put("first_token_p99_s", quantile(0.99));
        int tenth = Math.max(1, memory.size() / 10);
        result.put("server_anonymous_mib_after_a_tenth", memory.get(Math.min(memory.size() - 1, tenth))).put("server_anonymous_mib_at_the_end", memory.get(memory.size() - 1))
                .put("server_anonymous_mib_most", Collections.max(memory));
        errors.stream().limit(3).forEach(result.withArray("first_errors")::add);
        return result;
    }

    private double quantile(double share) {
        return firstTokens.isEmpty() ? Double.NaN : firstTokens.get((int) Math.min(firstTokens.size() - 1, share * firstTokens.size()));
    }

    private void client(SplittableRandom random, String[][] alone, long end) {
        while (System.nanoTime() < end) {
            int p = random.nextInt(PROMPTS.length);
            int l = random.nextInt(LENGTHS.length);
            boolean cancel = random.nextInt(10) == 0;
            try {
                Answer answer = ask(p, l, cancel ? 1 + random.nextInt(LENGTHS[l]) : Integer.MAX_VALUE);
                tokens.addAndGet(answer.tokens());
                if (answer.firstToken() > 0) {
                    firstTokens.add(answer.firstToken());
                }
                if (cancel) {
                    cancelled.incrementAndGet();
                } else {
                    answers.incrementAndGet();
                    different.addAndGet(answer.text().equals(alone[p][l]) ? 0 : 1);
                }
            } catch (IOException e) {
                errors.add(e.toString());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    /** Streams an answer, up to a maximum number of parts. */
    private Answer ask(int prompt, int length, int parts) throws IOException, InterruptedException {
        ObjectNode body = JSON.createObjectNode().put("model", model).put("prompt", PROMPTS[prompt]).put("max_tokens", LENGTHS[length]).put("temperature", 0);
        CompletionStream stream = CompletionStream.read(address, body, parts);
        if (stream.status() != 200) {
            refused.addAndGet(stream.status() == 429 ? 1 : 0);
            throw new IOException("status " + stream.status());
        }
        return new Answer(stream.text(), stream.times().size(), stream.times().isEmpty() ? 0 : stream.first());
    }

    private static double anonymousMib(Path status) throws IOException {
        for (String line : Files.readAllLines(status)) {
            if (line.startsWith("RssAnon:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
            }
        }
        return Double.NaN;
    }
}
