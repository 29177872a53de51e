package io.github.bts4j.core.text;

import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.chat.ChatTemplate;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;

/** The source of a model's chat template, which is read when it is first needed. Thread-safe. */
final class ChatTemplateSource {
    private final Path files; // null if they have been read, or there are none
    private Found found; // guarded by this; null until the files are read

    /** A template, or the reason why there is none. */
    private record Found(ChatTemplate template, String missing) {}

    private ChatTemplateSource(Path files, Found found) {
        this.files = files;
        this.found = found;
    }

    /** The template of a checkpoint folder or GGUF file, if it has one. */
    static ChatTemplateSource in(Path files) {
        return new ChatTemplateSource(files, null);
    }

    static ChatTemplateSource of(ChatTemplate template) {
        return new ChatTemplateSource(null, new Found(template, ""));
    }

    static ChatTemplateSource none() {
        return new ChatTemplateSource(null, new Found(null, "The model has no chat template: set one with withChatTemplate, such as ChatTemplate.llama3() "
                + "if it was trained with this format"));
    }

    private synchronized Found found() {
        if (found == null) {
            try {
                found = new Found(ChatTemplate.of(files), "");
            } catch (IllegalArgumentException e) {
                found = new Found(null, e.getMessage());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return found;
    }

    Optional<ChatTemplate> find() {
        return Optional.ofNullable(found().template());
    }

    /**
     * The template.
     *
     * @throws UnsupportedException if there is none
     */
    ChatTemplate require() {
        return find().orElseThrow(() -> new UnsupportedException(found().missing()));
    }
}
