/**
 * Integration with Deep Java Library: a {@link io.github.bts4j.core.torch.djl.LocalModelZoo} that {@code Criteria} loads from, and a
 * {@link io.github.bts4j.core.torch.djl.TextGenerationTranslator} from prompt to text.
 *
 * <pre>{@code
 * Criteria<String, String> criteria = Criteria.builder()
 *         .setTypes(String.class, String.class)
 *         .optModelZoo(LocalModelZoo.of(folder))
 *         .optArgument("max_new_tokens", 50)
 *         .build();
 * try (ZooModel<String, String> model = criteria.loadModel();
 *         Predictor<String, String> predictor = model.newPredictor()) {
 *     String text = predictor.predict("It is a truth");
 * }
 * }</pre>
 */
package io.github.bts4j.core.torch.djl;
