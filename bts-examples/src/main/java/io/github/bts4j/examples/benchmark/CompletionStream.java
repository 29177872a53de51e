package io.github.bts4j.examples.benchmark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.support.JsonReader;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A streamed completion as its client saw it.
 *
 * @param status of the response
 * @param text the text of all parts
 * @param times when each part came, in seconds after the request
 * @param isComplete whether the stream was read to its end
 */
record CompletionStream(int status, String text, List<Double> times, boolean isComplete) {
    private static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /**
     * Asks a server.
     *
     * @param address of its completions
     * @param body the request, to which {@code stream} is added
     * @param most parts to read before the client disconnects
     * @return what came; without parts, if the status is not 200
     * @throws IOException if the stream ends early, or has an error
     * @throws InterruptedException if interrupted
     */
    static CompletionStream read(URI address, ObjectNode body, int most) throws IOException, InterruptedException {
        long begin = System.nanoTime();
        HttpResponse<InputStream> response = HTTP.send(HttpRequest.newBuilder(address).header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body.put("stream", true).toString())).build(), HttpResponse.BodyHandlers.ofInputStream());
        StringBuilder text = new StringBuilder();
        List<Double> times = new ArrayList<>();
        boolean done = false;
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null && times.size() < most && response.statusCode() == 200; line = lines.readLine()) {
                done |= line.equals("data: [DONE]");
                if (line.startsWith("data: {")) {
                    times.add((System.nanoTime() - begin) / 1e9);
                    text.append(choice(line).get("text").asText());
                }
            }
        }
        if (response.statusCode() == 200 && !done && times.size() < most) {
            throw new IOException("the stream ended early after " + times.size() + " parts");
        }
        return new CompletionStream(response.statusCode(), text.toString(), times, done);
    }

    private static JsonNode choice(String line) throws IOException {
        JsonNode choice = JsonReader.LENIENT.line(line.substring("data: ".length())).path("choices").path(0);
        if (choice.isMissingNode()) {
            throw new IOException("an error in the stream: " + line);
        }
        return choice;
    }

    /** Seconds to the first part. */
    double first() {
        return times.get(0);
    }

    /** The longest time between two parts that overlaps a span of time; the times are counted from this request. */
    double longestPause(double from, double to) {
        double longest = 0;
        for (int i = 1; i < times.size(); i++) {
            if (times.get(i) > from && times.get(i - 1) < to) {
                longest = Math.max(longest, times.get(i) - times.get(i - 1));
            }
        }
        return longest;
    }

    /** Seconds per part after the first. */
    double perPart() {
        return (times.get(times.size() - 1) - first()) / (times.size() - 1);
    }
}
