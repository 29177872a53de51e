package io.github.bts4j.examples.experiment;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What an experiment trains and compares. Keys of the file are these names in kebab case; paths are relative to the file.
 *
 * @param output folder of everything that is made
 * @param tokenizer folder of the tokenizer that all models share
 * @param sequenceLength predicted tokens of a sequence, in training and in held-out windows
 * @param general the domain of general text
 * @param domains text by domain
 * @param model the seed's shape
 * @param seed how the seed is trained
 * @param experts how each expert is trained, by name
 * @param trainings trainings of methods, by name
 * @param methods what is compared, by the name of its row
 */
record ExperimentSpec(Path output, Path tokenizer, int sequenceLength, String general, Map<String, DomainSpec> domains, ModelShape model, TrainingSpec seed,
        Map<String, TrainingSpec> experts, Map<String, TrainingSpec> trainings, Map<String, Method> methods) {
    private static final ObjectMapper YAML = strict(YAMLMapper.builder().build());
    private static final ObjectMapper JSON = strict(JsonMapper.builder().build());

    /**
     * The text of a domain.
     *
     * @param train JSON lines to train on: a file, or a folder of files
     * @param heldOut the same to score on
     */
    record DomainSpec(Path train, Path heldOut) {}

    /**
     * The shape of every model.
     *
     * @param hiddenSize width of the residual stream
     * @param intermediateSize width of the feed-forward networks
     * @param layers Transformer layers
     * @param heads attention heads
     * @param deviation standard deviation of the seed's first weights
     */
    record ModelShape(int hiddenSize, int intermediateSize, int layers, int heads, double deviation) {}

    /**
     * One training.
     *
     * @param steps optimizer steps
     * @param batch sequences of a step
     * @param learningRate the peak
     * @param floor share of the peak that the schedule ends at
     * @param weightDecay AdamW's weight decay
     * @param mix relative weight of every domain
     * @param switching share of sequences that change their domain
     */
    record TrainingSpec(int steps, int batch, double learningRate, double floor, double weightDecay, Map<String, Double> mix, double switching) {}

    /**
     * Reads an experiment's file.
     *
     * @param file YAML or JSON
     * @return the experiment, its paths resolved
     * @throws IOException if the file cannot be read
     * @throws IllegalArgumentException naming file, line and key of what is wrong
     */
    static ExperimentSpec read(Path file) throws IOException {
        try {
            ExperimentSpec spec = (file.toString().endsWith(".json") ? JSON : YAML).readValue(file.toFile(), ExperimentSpec.class);
            return spec.resolvedFrom(file.toAbsolutePath().getParent());
        } catch (JsonMappingException e) {
            StringBuilder key = new StringBuilder();
            e.getPath().forEach(step -> key.append(key.isEmpty() ? "" : ".").append(step.getFieldName() == null ? "[" + step.getIndex() + "]" : step.getFieldName()));
            throw new IllegalArgumentException(file + ":" + line(e) + ": " + (key.isEmpty() ? "" : key + ": ")
                    + e.getOriginalMessage().replaceFirst("^(Missing|Null value for) creator property '.*", "a value is missing"), e);
        } catch (JacksonException e) {
            throw new IllegalArgumentException(file + ":" + line(e) + ": " + e.getOriginalMessage(), e);
        }
    }

    private static int line(JacksonException e) {
        return e.getLocation() == null ? 1 : e.getLocation().getLineNr();
    }

    private static ObjectMapper strict(ObjectMapper mapper) {
        return mapper.setPropertyNamingStrategy(PropertyNamingStrategies.KEBAB_CASE).enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
                .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES, DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES);
    }

    private ExperimentSpec resolvedFrom(Path folder) {
        Map<String, DomainSpec> resolved = new LinkedHashMap<>();
        domains.forEach((name, domain) -> resolved.put(name, new DomainSpec(folder.resolve(domain.train), folder.resolve(domain.heldOut))));
        return new ExperimentSpec(folder.resolve(output), folder.resolve(tokenizer), sequenceLength, general, resolved, model, seed, experts, trainings,
                methods);
    }
}
