package io.github.bts4j.cli;

import io.github.bts4j.core.hub.HubCache;
import io.github.bts4j.core.hub.HubDownload;
import io.github.bts4j.core.hub.HubModel;
import io.github.bts4j.core.hub.HubSettings;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Models of the Hub in a command's arguments, {@code hf:owner/name@revision}: they become folders of Hugging Face's cache, wherever a model's path may stand. */
final class HubArguments {
    /** A whole argument, or what follows an equals sign; before a weight. */
    private static final Pattern MODEL = Pattern.compile("((?:[^=]*=)*)(hf:[^=\\s]+)(=[0-9.eE+-]+)?");
    private static final String DOWNLOAD = "--download";

    private HubArguments() {}

    /**
     * Replaces the models of the Hub by their folders.
     *
     * @param run the arguments
     * @param settings the cache and the Hub
     * @param err where downloads are reported
     * @return the arguments with paths
     * @throws IOException if a download fails
     */
    static RunFile resolve(RunFile run, Supplier<HubSettings> settings, PrintWriter err) throws IOException {
        String[] arguments = run.arguments().clone();
        boolean download = List.of(arguments).contains(DOWNLOAD);
        Map<String, Path> folders = new HashMap<>();
        for (int i = 1; i < arguments.length; i++) {
            Matcher matcher = MODEL.matcher(arguments[i]);
            if (matcher.matches()) {
                String name = matcher.group(2);
                if (!folders.containsKey(name)) {
                    folders.put(name, folder(HubModel.of(name), settings.get(), download, err));
                }
                arguments[i] = matcher.group(1) + folders.get(name) + (matcher.group(3) == null ? "" : matcher.group(3));
            }
        }
        return Arrays.equals(arguments, run.arguments()) ? run : new RunFile(arguments, run.file(), run.values());
    }

    private static Path folder(HubModel model, HubSettings settings, boolean download, PrintWriter err) throws IOException {
        return download ? new HubDownload(settings, err::println).folder(model) : HubCache.of(settings).folder(model);
    }
}
