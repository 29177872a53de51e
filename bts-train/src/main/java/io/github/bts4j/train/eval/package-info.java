/**
 * Evaluation of models with confidence intervals and significance tests.
 *
 * <p><b>Held-out text.</b> {@link io.github.bts4j.train.eval.BitsPerByte} scores any model on windows of any domain, in a unit that does not depend on the
 * tokenizer.
 *
 * <p><b>Tasks.</b> An {@link io.github.bts4j.train.eval.EvaluationTask} holds items and measures a model on them: multiple choice
 * ({@link io.github.bts4j.train.eval.ChoiceTask}), ends of texts ({@link io.github.bts4j.train.eval.ClozeTask}), free-text answers
 * ({@link io.github.bts4j.train.eval.ExactMatchTask}) and code that parses ({@link io.github.bts4j.train.eval.MethodTask}). The first two give the same numbers as
 * lm-evaluation-harness, which a test checks. Tasks are JSON lines on disk. {@link io.github.bts4j.train.eval.HeldOutItems} makes them from held-out documents,
 * {@link io.github.bts4j.train.eval.WordProblems} from arithmetic, with matching training text.
 *
 * <p><b>Results.</b> An {@link io.github.bts4j.train.eval.EvaluationResult} keeps the score of every item beside the value and its bootstrap interval, so that
 * models that were run at different times can be compared item by item: by McNemar's exact test if items are correct or wrong, otherwise by the paired bootstrap
 * ({@link io.github.bts4j.train.eval.PairedComparison}). {@link io.github.bts4j.train.eval.EvaluationResults} is the file,
 * {@link io.github.bts4j.train.eval.ResultsTable} the table.
 *
 * <pre>{@code
 * ChoiceTask task = ChoiceTask.read("arc", Path.of("arc.jsonl"));
 * EvaluationResults results = EvaluationResults.EMPTY
 *         .plus(task.evaluate(EvaluatedModel.of("hub", hub, tokenizer)))
 *         .plus(task.evaluate(EvaluatedModel.of("stitched", stitched, tokenizer)));
 * results.write(Path.of("results.json"));
 * System.out.print(ResultsTable.of(results).markdown());
 * }</pre>
 */
package io.github.bts4j.train.eval;
