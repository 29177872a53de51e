import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.chat.ChatMessage;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.GenerationResult;
import io.github.bts4j.core.generate.StopReason;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Conversations that a chat model has with itself: {@code java -cp CLASSPATH Chats.java MODEL FOLDER TRAINING HELD_OUT} writes so many of them as FOLDER/train.jsonl and FOLDER/val.jsonl.
 * Behind the beginning of a user's turn and the first words of a question, the model writes the rest by itself (as in Magpie, Xu et al., arXiv 2406.08464), sampled at temperature 1. Its greedy
 * answers are what the experiment keeps or loses.
 * Questions that come twice, and answers of more than 128 tokens, are left out.
 */
final class Chats {
    private static final List<String> BEGINNINGS = List.of("What is", "What are", "How do I", "How does", "How can", "Why", "Write a", "Explain", "Describe", "Name", "List", "Give me", "Tell me about",
            "Who", "When", "Where", "Is it", "Can you", "Should I", "Compare", "Summarize", "Create", "Suggest", "Which");
    private static final int QUESTION_TOKENS = 40;
    private static final int ANSWER_TOKENS = 128;
    private static final int AT_ONCE = 8;

    private Chats() {}

    public static void main(String[] arguments) throws Exception {
        int training = Integer.parseInt(arguments[2]);
        int number = training + Integer.parseInt(arguments[3]);
        Map<String, String> chats = new LinkedHashMap<>();
        LoadOptions options = LoadOptions.defaults().withPrecision(Precision.BFLOAT16).withWeights(Weights.DEQUANTIZED);
        try (TextModel model = TextModel.open(Path.of(arguments[0]), options)) {
            for (long seed = 0; chats.size() < number; seed++) {
                answer(model, questions(model, seed), chats);
                System.err.println(chats.size() + " of " + number + " conversations");
            }
        }
        List<Map.Entry<String, String>> all = new ArrayList<>(chats.entrySet()).subList(0, number);
        Path folder = Files.createDirectories(Path.of(arguments[1]));
        write(folder.resolve("train.jsonl"), all.subList(0, training));
        write(folder.resolve("val.jsonl"), all.subList(training, number));
    }

    private static List<String> questions(TextModel model, long seed) {
        String turn = model.requireChatTemplate().render(List.of(ChatMessage.user("?")), false);
        String before = turn.substring(0, turn.lastIndexOf('?'));
        GenerationConfig sampled = GenerationConfig.greedy(QUESTION_TOKENS).withTemperature(1).withTopP(0.95).withSeed(seed);
        List<GenerationResult> written = model.generateAll(BEGINNINGS.stream().map(before::concat).toList(), sampled, AT_ONCE);
        return IntStream.range(0, BEGINNINGS.size()).filter(i -> written.get(i).stopReason() == StopReason.EOS && !written.get(i).text().isBlank())
                .mapToObj(i -> BEGINNINGS.get(i) + written.get(i).text().stripTrailing()).toList();
    }

    private static void answer(TextModel model, List<String> questions, Map<String, String> chats) {
        List<String> prompts = questions.stream().map(question -> model.requireChatTemplate().render(List.of(ChatMessage.user(question)), true)).toList();
        List<GenerationResult> answers = model.generateAll(prompts, GenerationConfig.greedy(ANSWER_TOKENS), AT_ONCE);
        for (int i = 0; i < answers.size(); i++) {
            if (answers.get(i).stopReason() == StopReason.EOS && !answers.get(i).text().isBlank()) {
                chats.putIfAbsent(questions.get(i), answers.get(i).text());
            }
        }
    }

    private static void write(Path file, List<Map.Entry<String, String>> chats) throws Exception {
        ObjectMapper json = new ObjectMapper();
        StringBuilder lines = new StringBuilder();
        for (Map.Entry<String, String> chat : chats) {
            ObjectNode line = json.createObjectNode();
            line.putArray("messages").add(message(json, "user", chat.getKey())).add(message(json, "assistant", chat.getValue()));
            lines.append(line).append('\n');
        }
        Files.writeString(file, lines);
    }

    private static ObjectNode message(ObjectMapper json, String role, String content) {
        return json.createObjectNode().put("role", role).put("content", content);
    }
}
