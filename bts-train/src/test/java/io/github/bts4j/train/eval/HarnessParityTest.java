package io.github.bts4j.train.eval;

import static io.github.bts4j.train.eval.Harness.rows;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Choice and cloze items score as lm-evaluation-harness scores them with transformers. */
class HarnessParityTest {
    private LlamaModel model;
    private LlamaTokenizer tokenizer;

    @BeforeEach
    void open() throws Exception {
        model = Harness.model();
        tokenizer = Harness.tokenizer();
    }

    @AfterEach
    void close() {
        tokenizer.close();
        model.close();
    }

    private static ChoiceItem choice(JsonNode row) {
        return new ChoiceItem(row.get("context").textValue(), rows(row.get("choices")).stream().map(JsonNode::textValue).toList(), row.get("answer").intValue());
    }

    /** A text's log-likelihood is a sum over its tokens, each as far off as its logits are. */
    private double tolerance(double logLikelihood) {
        return Tolerance.of(model.config(), 64, Precision.FLOAT32).ofLosses((float) logLikelihood);
    }

    private void assertClose(double[] expected, double[] found, String what) {
        assertEquals(expected.length, found.length, what);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], found[i], tolerance(expected[i]), what + ", text " + i);
        }
    }

    @Test
    void choices() throws Exception {
        List<JsonNode> golden = rows(Harness.golden("choice"));
        ChoiceTask task = new ChoiceTask("corpus", golden.stream().map(HarnessParityTest::choice).toList());
        List<ChoiceScore> scores = task.score(new ContinuationScorer(model, tokenizer));
        for (int i = 0; i < golden.size(); i++) {
            assertClose(Harness.doubles(golden.get(i).get("log_likelihoods")), scores.get(i).logLikelihoods(), "item " + i);
            for (Metric metric : List.of(Metric.ACC, Metric.ACC_NORM, Metric.ACC_BYTES)) {
                assertEquals(golden.get(i).get(metric.id()).doubleValue() == 1, scores.get(i).correct(metric), metric + " of item " + i);
            }
        }
        for (EvaluationResult result : task.evaluate(EvaluatedModel.of("random", model, tokenizer))) {
            assertEquals(Harness.golden("harness").get(result.metric().id()).doubleValue(), result.interval().value(), 1e-12);
            assertEquals(golden.size(), result.scores().count());
        }
    }

    @Test
    void cloze() throws Exception {
        List<JsonNode> golden = rows(Harness.golden("cloze"));
        ClozeTask task = new ClozeTask("corpus", golden.stream().map(row -> new ClozeItem(row.get("context").textValue(), row.get("target").textValue())).toList());
        List<ContinuationScore> scores = task.score(new ContinuationScorer(model, tokenizer));
        for (int i = 0; i < golden.size(); i++) {
            assertEquals(golden.get(i).get("log_likelihood").doubleValue(), scores.get(i).logLikelihood(), tolerance(scores.get(i).logLikelihood()), "item " + i);
            assertEquals(golden.get(i).get("greedy").booleanValue(), scores.get(i).greedy(), "item " + i);
        }
        List<EvaluationResult> results = task.evaluate(EvaluatedModel.of("random", model, tokenizer));
        assertEquals(Harness.golden("harness").get("cloze").doubleValue(), results.get(0).interval().value(), 1e-12);
        assertEquals(scores.stream().mapToDouble(ContinuationScore::logLikelihood).average().orElseThrow(), results.get(1).interval().value(), 1e-9);
    }

    /** The two ways to score agree, in any order and company. */
    @Test
    void bothWaysToScoreAgree() throws Exception {
        List<Continuation> texts = rows(Harness.golden("choice")).stream().flatMap(row -> choice(row).continuations().stream()).toList();
        ContinuationScorer scorer = new ContinuationScorer(model, tokenizer);
        double[] sums = scorer.logLikelihoods(texts);
        assertClose(sums, scorer.scores(texts).stream().mapToDouble(ContinuationScore::logLikelihood).toArray(), "in one pass");
        for (int i = 0; i < texts.size(); i += 17) {
            assertEquals(sums[i], scorer.logLikelihoods(List.of(texts.get(i)))[0], tolerance(sums[i]), "alone");
        }
    }

    @Test
    void textsThatCannotBeScoredAreNamed() {
        ContinuationScorer scorer = new ContinuationScorer(model, tokenizer);
        assertEquals(0, scorer.logLikelihoods(List.of()).length);
        assertEquals(List.of(), scorer.scores(List.of()));
        Harness.assertRefused("The text 'e' after the context 'th' has no tokens of its own", () -> scorer.scores(List.of(new Continuation("th", "e"))));
        Harness.assertRefused("at most 95 can be scored", () -> scorer.logLikelihoods(List.of(new Continuation("a", " b".repeat(200)))));
        Harness.assertRefused("empty", () -> new Continuation("a", ""));
    }
}
