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

/** Collects what a stitched model is made of; nothing is read before {@link #open}. */
public final class StitchedModelBuilder {
    private Optional<Member> hub = Optional.empty();
    private final List<Member> experts = new ArrayList<>();
    private final Map<String, Device> devices = new HashMap<>();
    private Optional<StitchConfig> config = Optional.empty();
    private LoadOptions options = LoadOptions.defaults();

    StitchedModelBuilder() {}

    /**
     * The hub, called "hub". Any model can be it: the seed, or one of the experts. With one expert beside it, hub and expert
     * are the paper's two-expert mode (section 4.1): the kinds alternate between A-into-B and B-into-A.
     *
     * @param folder its checkpoint folder
     * @return this builder
     */
    public StitchedModelBuilder hub(Path folder) {
        return hub("hub", folder);
    }

    /**
     * The hub under a name of its own.
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
     * One more expert; the order of experts is the order of the gate's slices.
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
     * One more expert on a device of its own, so that models that do not fit one device lie on several: its stream's states go there for its layers and back
     * to the hub's for every stitch.
     *
     * @param name the name
     * @param folder its checkpoint folder
     * @param device where its weights lie and its layers are computed
     * @return this builder
     */
    public StitchedModelBuilder expert(String name, Path folder, Device device) {
        devices.put(name, device);
        return expert(name, folder);
    }

    /**
     * Where stitch layers sit and how they start.
     *
     * @param config the configuration
     * @return this builder
     */
    public StitchedModelBuilder config(StitchConfig config) {
        this.config = Optional.of(config);
        return this;
    }

    /**
     * Device and precision of the frozen models; stitch weights are float32 masters in any case.
     *
     * @param options the options
     * @return this builder
     */
    public StitchedModelBuilder options(LoadOptions options) {
        this.options = options;
        return this;
    }

    /**
     * Validates, loads the frozen models and starts the stitch layers as {@link StitchConfig#init} says.
     *
     * @return the stitched model, which the caller closes
     * @throws IOException if a file cannot be read
     * @throws IllegalArgumentException listing everything in which the models do not fit
     * @throws IllegalStateException if hub or configuration were not given
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
        List<LlamaModel> models = new ArrayList<>();
        NDManager manager = Torch.manager().newSubManager(options.device());
        try {
            for (Member member : members) {
                // streams of one type: without a wish, the hub's
                LoadOptions same = models.isEmpty() ? options : options.withPrecision(models.get(0).precision());
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
