package io.github.bts4j.train.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.train.eval.ArithmeticStep.Operation;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WordProblemsTest {
    private static final Pattern NUMBER = Pattern.compile("\\d+");
    private static final Pattern EQUATION = Pattern.compile("(\\d+) ([-+x]) (\\d+) = (\\d+)");

    private static WordProblems problems(ProblemLanguage language) {
        return new WordProblems(language, 3, 0.2);
    }

    private static List<Integer> numbers(String text) {
        return NUMBER.matcher(text).results().map(found -> Integer.parseInt(found.group())).toList();
    }

    @ParameterizedTest
    @EnumSource
    void trainingAndTestShareNoProblemWhateverTheSeed(ProblemLanguage language) {
        Set<String> training = problems(language).training(3000).stream().map(WordProblem::key).collect(Collectors.toSet());
        assertEquals(3000, training.size(), "all differ");
        for (long seed = 0; seed < 5; seed++) {
            for (WordProblem problem : new WordProblems(language, seed, 0.2).test(300)) {
                assertFalse(training.contains(problem.key()), problem.key());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void numbersAreSmallAndTheSolutionIsRight(ProblemLanguage language) {
        for (WordProblem problem : problems(language).test(1000)) {
            assertTrue(numbers(problem.text()).stream().allMatch(number -> number >= 2 && number <= 99), problem.text());
            List<Integer> all = numbers(problem.text());
            assertEquals(problem.answer(), all.get(all.size() - 1), problem.text());
            assertFalse(problem.text().matches("(?s).*[{}#%/].*"), problem.text());
            for (MatchResult equation : EQUATION.matcher(problem.worked()).results().toList()) {
                Operation operation = Arrays.stream(Operation.values()).filter(one -> one.sign().equals(equation.group(2))).findFirst().orElseThrow();
                assertEquals(operation.apply(Integer.parseInt(equation.group(1)), Integer.parseInt(equation.group(3))), Integer.parseInt(equation.group(4)), problem.text());
            }
        }
    }

    /** The numbers of the story, in order, are those of the steps. */
    @ParameterizedTest
    @EnumSource
    void theStoryHasTheNumbersOfTheSteps(ProblemLanguage language) {
        for (WordProblem problem : problems(language).training(500)) {
            List<Integer> told = numbers(problem.prompt());
            assertEquals(problem.steps().get(0).left(), told.get(0), problem.prompt());
            assertEquals(problem.steps().stream().map(ArithmeticStep::right).toList(), told.subList(1, told.size()), problem.prompt());
        }
    }

    @ParameterizedTest
    @EnumSource
    void choicesAreFourAndOneIsRight(ProblemLanguage language) {
        int[] places = new int[4];
        for (WordProblem problem : problems(language).test(1000)) {
            ChoiceItem item = problem.choiceItem();
            assertEquals(4, new HashSet<>(item.choices()).size(), item.toString());
            assertEquals(problem.worked(), item.right());
            assertEquals(item, problem.choiceItem());
            for (String choice : item.choices()) {
                List<Integer> all = numbers(choice);
                assertEquals(choice.equals(item.right()), all.get(all.size() - 1) == problem.answer(), () -> "only the right choice ends with the answer: " + item);
            }
            places[item.answer()]++;
        }
        assertTrue(Arrays.stream(places).allMatch(place -> place > 190 && place < 310), Arrays.toString(places));
    }

    @ParameterizedTest
    @EnumSource(names = "SYMBOLS", mode = EnumSource.Mode.EXCLUDE)
    void thereAreManyWaysToTellAProblem(ProblemLanguage language) {
        Set<String> templates = problems(language).training(4000).stream().map(WordProblem::template).collect(Collectors.toSet());
        assertTrue(templates.size() > 500, language + " has " + templates.size() + " templates");
        assertEquals(22, templates.stream().flatMap(template -> Arrays.stream(template.split(" "))).distinct().count(), "all sentences are used");
    }

    @Test
    void aSeedGivesTheseProblems() {
        assertEquals(problems(ProblemLanguage.GERMAN).test(50), problems(ProblemLanguage.GERMAN).test(50));
        assertNotEquals(problems(ProblemLanguage.GERMAN).test(50), new WordProblems(ProblemLanguage.GERMAN, 4, 0.2).test(50));
        String all = Arrays.stream(ProblemLanguage.values()).map(language -> problems(language).training(2)).flatMap(List::stream).map(WordProblem::text)
                .collect(Collectors.joining("\n"));
        assertEquals("""
                Problem: David buys 94 cups at the market. Olivia takes 36 of them. How many cups does David own after that?
                Answer: 94 - 36 = 58. The answer is 58.
                Problem: Ben finds 13 balls in a box. Ben sells 8 of them. How many balls does Ben have now?
                Answer: 13 - 8 = 5. The answer is 5.
                Problema: Pablo compra 94 vasos en el mercado. Rosa se lleva 36. ¿Con cuántos vasos se queda Pablo?
                Respuesta: 94 - 36 = 58. La respuesta es 58.
                Problema: Marcos encuentra 13 pelotas en una caja. Marcos vende 8. ¿Cuántas pelotas tiene Marcos ahora?
                Respuesta: 13 - 8 = 5. La respuesta es 5.
                Aufgabe: Bernd findet 13 Bälle in einer Kiste. Bernd verkauft 8 davon. Wie viele Bälle hat Bernd jetzt?
                Antwort: 13 - 8 = 5. Die Antwort ist 5.
                Aufgabe: Maria packt 17 Bleistifte in einen Korb. Niklas bringt Maria noch 23 Bleistifte. Wie viele Bleistifte besitzt Maria danach?
                Antwort: 17 + 23 = 40. Die Antwort ist 40.
                13 - 8 = 5
                79 - 66 = 13""", all);
    }

    @Test
    void documentsHoldWholeProblems() {
        var documents = problems(ProblemLanguage.SYMBOLS).documents(25, 10);
        assertEquals(3, documents.size());
        assertEquals(10, documents.get(0).text().lines().count());
        assertEquals(5, documents.get(2).text().lines().count());
        List<WordProblem> spanish = problems(ProblemLanguage.SPANISH).training(4);
        assertEquals(spanish.get(2).text() + "\n\n" + spanish.get(3).text() + "\n", problems(ProblemLanguage.SPANISH).documents(4, 2).get(1).text());
        assertEquals("arithmetic-es-choice", problems(ProblemLanguage.SPANISH).choiceTask(3).name());
        Harness.assertRefused("perDocument = 0", () -> problems(ProblemLanguage.SPANISH).documents(4, 0));
        Harness.assertRefused("testShare = 1.0", () -> new WordProblems(ProblemLanguage.SPANISH, 0, 1));
        Harness.assertRefused("begins with 3, the step before gives 4", () -> new WordProblem(ProblemLanguage.SYMBOLS, "",
                List.of(new ArithmeticStep(2, Operation.PLUS, 2), new ArithmeticStep(3, Operation.PLUS, 2)), "2 + 2 + 2 ="));
    }
}
