package io.github.bts4j.examples.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.chat.ChatMessage;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.generate.TokenScore;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.train.eval.EvaluationResult;
import io.github.bts4j.train.eval.EvaluationResults;
import io.github.bts4j.train.eval.Metric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Experiments with conversations among their text, and with questions from files. */
class ChatExperimentTest {
    private static final String METHODS = """
              BTS: {kind: stitch, stitches: 2, alternating: true, dropout: 0, init: EXPERTS, models: [seed, code, math], training: short, seeds: [0]}
              BTS with chats: {kind: stitch, stitches: 2, alternating: true, dropout: 0, init: EXPERTS, models: [seed, code, math], training: chatty, seeds: [0]}
            """.stripTrailing();
    private static final String TEMPLATE = "{% for m in messages %}[{{ m.role }}]{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}";
    private static final String QUESTION = "After %d?";
    private static final String ANSWER = "%d, then %d.";

    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void write() throws IOException {
        file = TinyExperiment.write(folder, METHODS);
        Path tokenizer = Files.createDirectories(folder.resolve("tokenizer"));
        Path test = Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer");
        for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
            if (Files.exists(test.resolve(name))) {
                Files.copy(test.resolve(name), tokenizer.resolve(name));
            }
        }
        Files.writeString(tokenizer.resolve("chat_template.jinja"), TEMPLATE);
        chats("chats.jsonl", 0);
        chats("chats-held.jsonl", 1000);
        Files.writeString(folder.resolve("questions.jsonl"), """
                {"context": "Question: What is 1 + 1?\\nAnswer:", "choices": [" 2", " 3", " 4", " 5"], "answer": 0}
                {"context": "Question: What is 2 + 1?\\nAnswer:", "choices": [" 2", " 3", " 4", " 5"], "answer": 1}
                """);
        replace("tokenizer: " + test, "tokenizer: tokenizer");
        replace("  sums: {", "  chats: {train: chats.jsonl, held-out: chats-held.jsonl}\n  sums: {");
        replace("trainings:\n", "trainings:\n  chatty: {steps: 4, batch: 2, learning-rate: 1.0e-3, floor: 0.1, weight-decay: 0.1, switching: 0.25, mix: {english: 1, code: 1, chats: 2}}\n");
        replace("tasks-for: [BTS]}", "tasks-for: [BTS],\n  questions: {arithmetic-questions: questions.jsonl}}");
    }

    private void chats(String name, int from) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = from; i < from + 6; i++) {
            lines.append(String.format("{\"messages\": [{\"role\": \"user\", \"content\": \"%s\"}, {\"role\": \"assistant\", \"content\": \"%s\"}]}%n",
                    String.format(QUESTION, i), String.format(ANSWER, i + 1, i + 2)));
        }
        Files.writeString(folder.resolve(name), lines.toString());
    }

    private void replace(String right, String wrong) throws IOException {
        String text = Files.readString(file);
        assertTrue(text.contains(right), right + " is not in\n" + text);
        Files.writeString(file, text.replace(right, wrong));
    }

    private Path out(String path) {
        return folder.resolve("out").resolve(path);
    }

    @Test
    void conversationsAreTrainedOnAndScored() throws IOException {
        assertTrue(Experiment.read(file).run());
        assertEquals(bitsPerByteOfAnswers("seed"), bits("seed"), 1e-6);
        assertEquals(bitsPerByteOfAnswers("expert-code"), bits("code"), 1e-6);
        assertTrue(Math.abs(bits("BTS") - bits("BTS with chats")) > 1e-9); // other text was trained on
        EvaluationResults results = EvaluationResults.read(out("results/bts/results.json"));
        assertEquals(2, results.find("BTS", "arithmetic-questions", Metric.ACC).orElseThrow().scores().count());
        assertTrue(results.find("BTS", "chats-choice", Metric.ACC).isEmpty() && results.find("BTS", "code-choice", Metric.ACC).isPresent());
        JsonNode positions = new ObjectMapper().readTree(out("results/bts/positions.json").toFile());
        assertFalse(positions.has("chats"), positions.toString());
        String gates = Files.readString(out("results/bts/gates.json"));
        assertTrue(gates.contains("\"chats\""), gates);
        assertTrue(Files.readString(out("results.md")).contains("arithmetic-questions") && Files.readString(out("report.html")).contains("chats"));
    }

    private double bits(String row) throws IOException {
        EvaluationResult result = EvaluationResults.read(out("results/" + Methods.slug(row) + "/results.json")).find(row, "chats", Metric.BITS_PER_BYTE).orElseThrow();
        return result.interval().value();
    }

    /** By the scores of the rendered text's tokens: those of the answer and of the line's end after it count, and nothing before. */
    private double bitsPerByteOfAnswers(String model) throws IOException {
        double nats = 0;
        long bytes = 0;
        try (TextModel text = TextModel.open(out("models/" + model))) {
            ChatTemplate template = ChatTemplate.of(folder.resolve("tokenizer"));
            for (int window = 0; window < 4; window++) { // as many as evaluation.windows, from all over the six conversations
                int number = 1000 + window * 6 / 4;
                String answer = String.format(ANSWER, number + 1, number + 2);
                int[] before = template.encode(text.tokenizer(), List.of(ChatMessage.user(String.format(QUESTION, number))), true);
                int[] all = template.encode(text.tokenizer(), List.of(ChatMessage.user(String.format(QUESTION, number)), ChatMessage.assistant(answer)), false);
                assertEquals(answer + "\n", text.tokenizer().decode(Arrays.copyOfRange(all, before.length, all.length), false));
                List<TokenScore> scores = text.generator().score(all, 0);
                for (int at = before.length; at < all.length; at++) {
                    nats -= scores.get(at - 1).logProb();
                    bytes += text.tokenizer().byteLength(all[at]);
                }
            }
        }
        return nats / Math.log(2) / bytes;
    }

    @Test
    void conversationsHaveNoPartInTheAverage() throws IOException {
        replace("evaluation: {domains: [english, code, math]", "evaluation: {domains: [english, chats]");
        Experiment experiment = Experiment.read(file);
        String message = assertThrows(IllegalArgumentException.class, experiment::run).getMessage();
        assertEquals("evaluation.domains: 'chats' has conversations, which are not joined to switching text: name domains of text. Conversations are scored in any case", message);
    }

    @Test
    void questionsAreAFileAndHaveANameOfTheirOwn() throws IOException {
        replace("arithmetic-questions: questions.jsonl", "arithmetic-questions: none.jsonl");
        Experiment experiment = Experiment.read(file);
        String message = assertThrows(IllegalArgumentException.class, experiment::run).getMessage();
        assertTrue(message.startsWith("evaluation.questions.arithmetic-questions: ") && message.endsWith("none.jsonl is no file: give JSON lines of context, choices and answer"), message);
        replace("arithmetic-questions: none.jsonl", "code-choice: questions.jsonl");
        String name = assertThrows(IllegalArgumentException.class, () -> Experiment.read(file)).getMessage();
        assertTrue(name.contains("evaluation.questions.code-choice: 'code-choice' must be no domain's name"), name);
    }

    @Test
    void conversationsAndTextsAreNotOneDomain() throws IOException {
        replace("held-out: chats-held.jsonl", "held-out: code-held.jsonl");
        Experiment experiment = Experiment.read(file);
        String message = assertThrows(IllegalArgumentException.class, experiment::run).getMessage();
        assertTrue(message.endsWith("one has conversations and the other one texts: give both in one form"), message);
    }
}
