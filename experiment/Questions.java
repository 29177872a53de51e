import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.github.bts4j.train.eval.ChoiceItem;
import io.github.bts4j.train.eval.ChoiceTask;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipFile;

/**
 * MMLU's development questions as the Python package lm_eval 0.4.11 (MIT licence) ships them, in English and translated into German:
 * {@code java -cp CLASSPATH Questions.java WHEEL FOLDER} writes FOLDER/mmlu-en.jsonl and FOLDER/mmlu-de.jsonl for {@code evaluation.questions}.
 * The answers are scored as texts after the question, without letters, which models of this size cannot use.
 */
final class Questions {
    private static final Pattern ENGLISH = Pattern.compile("lm_eval/tasks/mmlu/flan_cot_fewshot/mmlu_\\w+\\.yaml");
    private static final Pattern GERMAN = Pattern.compile("lm_eval/tasks/llama3/instruct/mmlu_de/mmlu_de_\\w+\\.yaml");
    private static final Pattern CHOICE = Pattern.compile("\\([ABCDE]\\)");
    private static final Pattern ANSWER = Pattern.compile("answer is \\(([ABCD])\\)");

    private Questions() {}

    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createDirectories(Path.of(arguments[1]));
        try (ZipFile wheel = new ZipFile(arguments[0])) {
            write("mmlu-en", folder, read(wheel, ENGLISH, Questions::english));
            write("mmlu-de", folder, read(wheel, GERMAN, Questions::german));
        }
    }

    private static void write(String name, Path folder, List<ChoiceItem> items) throws IOException {
        if (items.size() < 250) {
            throw new IOException("only " + items.size() + " questions of " + name + " were found: this was written for lm_eval 0.4.11");
        }
        new ChoiceTask(name, items).write(folder.resolve(name + ".jsonl"));
        System.err.println(name + ": " + items.size() + " questions");
    }

    private static List<ChoiceItem> read(ZipFile wheel, Pattern names, Function<JsonNode, Stream<ChoiceItem>> item) {
        ObjectMapper yaml = new YAMLMapper();
        List<ChoiceItem> items = new ArrayList<>();
        wheel.stream().filter(entry -> names.matcher(entry.getName()).matches()).sorted((a, b) -> a.getName().compareTo(b.getName())).forEach(entry -> {
            try {
                yaml.readTree(wheel.getInputStream(entry)).at("/fewshot_config/samples").forEach(sample -> item.apply(sample).forEach(items::add));
            } catch (IOException e) {
                throw new UncheckedIOException(entry.getName(), e);
            }
        });
        return items;
    }

    /** The question, a line with all choices, and an explanation that ends with the answer. One question has five choices, and is left out. */
    private static Stream<ChoiceItem> english(JsonNode sample) {
        List<String> parts = Arrays.stream(CHOICE.split(sample.path("question").asText())).map(String::strip).toList();
        Matcher answer = ANSWER.matcher(sample.path("target").asText());
        return parts.size() == 5 && answer.find() ? of("Question: %s\nAnswer:", parts.get(0), parts.subList(1, 5), "ABCD".indexOf(answer.group(1))) : Stream.of();
    }

    private static Stream<ChoiceItem> german(JsonNode sample) {
        List<String> choices = Stream.of("A", "B", "C", "D").map(letter -> sample.at("/input_choice_list/" + letter).asText().strip()).toList();
        return of("Frage: %s\nAntwort:", sample.path("input_question").asText().strip(), choices, "ABCD".indexOf(sample.at("/input_correct_responses/0").asText()));
    }

    /** Without choices that are empty or equal to the right one. */
    private static Stream<ChoiceItem> of(String frame, String question, List<String> choices, int answer) {
        boolean isFit = answer >= 0 && choices.stream().noneMatch(String::isEmpty) && choices.stream().filter(choices.get(answer)::equals).count() == 1;
        return isFit ? Stream.of(new ChoiceItem(String.format(frame, question), choices.stream().map(choice -> " " + choice).toList(), answer)) : Stream.of();
    }
}
