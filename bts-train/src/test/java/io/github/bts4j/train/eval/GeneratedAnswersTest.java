package io.github.bts4j.train.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Exact match and code that parses, with models that say what they are told to, and one that does not. */
class GeneratedAnswersTest {
    @TempDir
    private Path folder;
    private LlamaTokenizer tokenizer;

    @BeforeEach
    void open() {
        tokenizer = Harness.tokenizer();
    }

    @AfterEach
    void close() {
        tokenizer.close();
    }

    private EvaluatedModel scripted(ScriptedLm model) {
        return new EvaluatedModel("scripted", model, tokenizer, 3);
    }

    @Test
    void answersAreWhatTheModelWritesUpToTheStop() throws Exception {
        List<ExactMatchItem> items = List.of(new ExactMatchItem("Q: one?\nA:", "1"), new ExactMatchItem("Q: two?\nA:", "two"), new ExactMatchItem("Q: long?\nA:", "x"),
                new ExactMatchItem("Q: end?\nA:", "end"), new ExactMatchItem("Q: none?\nA:", "-7"));
        ScriptedLm model = new ScriptedLm(tokenizer, 128, List.of("Q: one?\nA: 2 - 1 = 1\nQ: more?", "Q: two?\nA: Two. \nQ:", "Q: long?\nA: a b c d e f g h i j k l m n o p",
                "Q: end?\nA: end"));
        ExactMatchTask task = new ExactMatchTask("t", items, AnswerRule.SameText.stripped(), List.of("\n"), 10);
        List<String> answers = task.answers(scripted(model));
        assertEquals(List.of(" 2 - 1 = 1", " Two. ", " end", ""), List.of(answers.get(0), answers.get(1), answers.get(3), answers.get(4)));
        assertTrue(answers.get(2).startsWith(" a b c d") && !answers.get(2).endsWith("p"), answers.get(2));
        assertEquals(0, model.open());
        assertEquals(3, model.mostOpen());
        assertArrayEquals(new double[] {0, 0, 0, 1, 0}, values(task, model));
        assertArrayEquals(new double[] {0, 1, 0, 1, 0}, values(new ExactMatchTask("t", items, new AnswerRule.SameText(true, true, true), List.of("\n"), 10), model));
        ExactMatchTask numbers = new ExactMatchTask("t", List.of(items.get(0), items.get(4)), new AnswerRule.LastNumber(), List.of("\n"), 10);
        assertArrayEquals(new double[] {1, 0}, values(numbers, model));
        Path file = folder.resolve("items.jsonl");
        task.write(file);
        assertEquals(task, ExactMatchTask.read("t", file, AnswerRule.SameText.stripped(), List.of("\n"), 10));
        assertNotEquals(task.identity(), ExactMatchTask.read("t", file, AnswerRule.SameText.stripped(), List.of("\n"), 11).identity());
    }

    private double[] values(EvaluationTask task, ScriptedLm model) {
        return task.evaluate(scripted(model)).get(0).scores().values();
    }

    @Test
    void promptsThatAreTooLongLoseTheirBeginning() {
        String words = " a b c d e f".repeat(30);
        ScriptedLm model = new ScriptedLm(tokenizer, 64, List.of(words + " so\nA: yes\n"));
        ExactMatchTask task = new ExactMatchTask("t", List.of(new ExactMatchItem(words + " so\nA:", "yes")), AnswerRule.SameText.stripped(), List.of("\n"), 8);
        assertEquals(List.of(" yes"), task.answers(scripted(model)));
        Harness.assertRefused("maxNewTokens = 64 leaves no room", () -> new ExactMatchTask("t", task.items(), task.rule(), List.of(), 64).answers(scripted(model)));
    }

    @Test
    void aModelAnswersAsItGeneratesAlone() throws Exception {
        try (LlamaModel model = Harness.model()) {
            List<WordProblem> problems = new WordProblems(ProblemLanguage.SYMBOLS, 1, 0.2).test(7);
            ExactMatchTask task = new WordProblems(ProblemLanguage.SYMBOLS, 1, 0.2).exactMatchTask(7, 12);
            List<String> answers = task.answers(new EvaluatedModel("random", model, tokenizer, 3));
            GenerationConfig config = GenerationConfig.greedy(12).withEndTokens(java.util.Set.of(2)).withStopStrings(List.of("\n"));
            for (int i = 0; i < 7; i++) {
                assertEquals(new Generator(model, tokenizer).generate(problems.get(i).prompt(), config).text(), answers.get(i));
            }
        }
    }

    @Test
    void theLastNumberCounts() {
        AnswerRule rule = new AnswerRule.LastNumber();
        assertTrue(rule.matches(" 37 + 45 = 82. La respuesta es 82.", "82"));
        assertTrue(rule.matches("82.0", "82"));
        assertTrue(rule.matches("es -5", "-5"));
        assertTrue(rule.matches("10-5", "5"), "a minus between numbers is no sign");
        assertFalse(rule.matches("es -5", "5"));
        assertFalse(rule.matches("82 o 83", "82"));
        assertFalse(rule.matches("none", "82"));
        assertTrue(new AnswerRule.SameText(false, false, true).matches("¡ya!", "ya"));
        assertFalse(new AnswerRule.SameText(false, false, false).matches(" ya", "ya"));
        Harness.assertRefused("the reference 'five' is not correct by", () -> new ExactMatchTask("t", List.of(new ExactMatchItem("a", "five")), rule, List.of(), 1));
        Harness.assertRefused("neither may be blank", () -> new ExactMatchItem("a", " "));
        Harness.assertRefused("maxNewTokens = 0", () -> new ExactMatchTask("t", List.of(new ExactMatchItem("a", "5")), rule, List.of(), 0));
    }

    @Test
    void bodiesEndWhereTheBraceCloses() throws Exception {
        String context = "class A {\n";
        List<MethodItem> items = List.of(new MethodItem(context, "    int one() {"), new MethodItem(context, "    String two() {"), new MethodItem(context, "    void three() {"),
                new MethodItem(context, "    void four() {"));
        ScriptedLm model = new ScriptedLm(tokenizer, 128, List.of(items.get(0).prompt() + " return 1; } int more() { return 2; }",
                items.get(1).prompt() + " if (a) { return \"}\"; /* } */ } return b; }\n}", items.get(2).prompt() + " if (a { } }", items.get(3).prompt() + " while (true) { a(); "
                + "b(); ".repeat(20)));
        MethodTask task = new MethodTask("code", items, 40);
        List<String> bodies = task.bodies(scripted(model));
        assertEquals(List.of(" return 1; }", " if (a) { return \"}\"; /* } */ } return b; }", " if (a { } }"), bodies.subList(0, 3));
        assertTrue(bodies.get(3).startsWith(" while (true) { a(); b();"), bodies.get(3));
        assertEquals(0, model.open());
        assertArrayEquals(new double[] {1, 1, 0, 0}, values(task, model));
        assertEquals(Metric.PARSES, task.evaluate(scripted(model)).get(0).metric());
        task.write(folder.resolve("methods.jsonl"));
        assertEquals(task, MethodTask.read("code", folder.resolve("methods.jsonl"), 40));
        Harness.assertRefused("must end with the brace", () -> new MethodItem("", "int a();"));
    }
}
