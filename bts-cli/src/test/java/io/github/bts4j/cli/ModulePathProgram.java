package io.github.bts4j.cli;

import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.stitch.StitchedModel;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** Opens a checkpoint and generates eight tokens; prints the modules that it found and the number of tokens. */
final class ModulePathProgram {
    /** What a user of bts-core and bts-stitch has. */
    static final Pattern WANTED = Pattern.compile("bts-(core|stitch)|api-|pytorch-engine-|tokenizers-|jackson-(core|databind|annotations)|jna-|slf4j-|gson-");

    private ModulePathProgram() {}

    public static void main(String[] arguments) throws Exception {
        try (TextModel model = TextModel.open(Path.of(arguments[0]))) {
            int tokens = model.generate("It is", GenerationConfig.greedy(8)).tokens().size();
            System.out.println(TextModel.class.getModule().getName() + " " + StitchedModel.class.getModule().getName() + " " + tokens);
        }
    }
}
