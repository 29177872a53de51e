package io.github.bts4j.stitch;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A builder of stitched models; nothing is read before {@link #open}. */
public final class StitchedModelBuilder {
    private Optional<Member> hub = Optional.empty();
    private final List<Member> experts = new ArrayList<>();
    private final Map<String, Device> devices = new HashMap<>();
    private Optional<StitchConfig> config = Optional.empty();
    private LoadOptions options = LoadOptions.defaults();

    StitchedModelBuilder() {}

    /**
     * The hub, named "hub". It can be any model: the seed, or one of the experts. With one expert, hub and expert
     * are the paper's two-expert mode (section 4.1): the kinds alternate between A-into-B and B-into-A.
     *
     * @param folder its checkpoint folder
     * @return this builder
     */
    public StitchedModelBuilder hub(Path folder) {
        return hub("hub", folder);
    }

    /**
     * The hub with a given name.
     *
     * @param name the name
     * @param folder its checkpoint folder
     * @return this builder
     */
    public StitchedModelBuilder hub(String name, Path folder) {
        hub = Optional.of(new Member(name, folder));
        return this;
    }

    /**
     * Adds an expert; the order of experts is the order of the gate's slices.
     *
     * @param name the name
     * @param folder its checkpoint folder, or the folder of a PEFT adapter of the hub
     * @return this builder
     */
    public StitchedModelBuilder expert(String name, Path folder) {
        experts.add(new Member(name, folder));
        return this;
    }

    /**
     * Adds an expert on another device, for models that do not fit on one. Its stream's states are copied there for its layers and back
     * to the hub's device for each stitch.
     *
     * @param name the name
     * @param folder its checkpoint folder
     * @param device device of its weights and layers
     * @return this builder
     */
    public StitchedModelBuilder expert(String name, Path folder, Device device) {
        devices.put(name, device);
        return expert(name, folder);
    }

    /**
     * The layout and initialisation of the stitch layers.
     *
     * @param config the configuration
     * @return this builder
     */
    public StitchedModelBuilder config(StitchConfig config) {
        this.config = Optional.of(config);
        return this;
    }

    /**
     * Device and precision of the frozen models; stitch weights are always float32.
     *
     * @param options the options
     * @return this builder
     */
    public StitchedModelBuilder options(LoadOptions options) {
        this.options = options;
        return this;
    }

    /**
     * Validates, loads the frozen models and initialises the stitch layers by {@link StitchConfig#init}.
     *
     * @return the stitched model, which the caller closes
     * @throws IOException if a file cannot be read
     * @throws IllegalArgumentException listing all reasons why the models do not fit together
     * @throws IllegalStateException if the hub or configuration is missing
     */
    public StitchedModel open() throws IOException {
        Member first = hub.orElseThrow(() -> new IllegalStateException("No hub was given: call hub(folder)"));
        StitchConfig stitches = config.orElseThrow(
                () -> new IllegalStateException("No configuration was given: call config(StitchConfig.evenly(numLayers, numStitches))"));
        List<Member> members = new ArrayList<>(List.of(first));
        members.addAll(experts);
        return open(members, stitches, options, devices);
    }

    static StitchedModel open(List<Member> members, StitchConfig config, LoadOptions options, Map<String, Device> devices) throws IOException {
        StitchValidation.check(members, config);
        LoadOptions whole = Members.options(members, options);
        List<LlamaModel> models = new ArrayList<>();
        NDManager manager = Torch.manager().newSubManager(options.device());
        try {
            for (Member member : members) {
                // all streams have one type, by default the hub's
                LoadOptions same = models.isEmpty() ? whole : whole.withPrecision(models.get(0).precision());
                LoadOptions own = same.withDevice(devices.getOrDefault(member.name(), options.device()));
                models.add(models.isEmpty() ? LlamaModel.open(member.folder(), own) : Members.open(members.get(0), models.get(0), member, own));
            }
            return new StitchedModel(manager, members, models, config, options);
        } catch (IOException | RuntimeException e) {
            models.forEach(LlamaModel::close);
            manager.close();
            throw e;
        }
    }
}
