package io.github.bts4j.train.data;

import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.chat.EncodedChat;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;

/**
 * Renders conversations through a chat template and encodes them, for supervised fine-tuning: what the assistant says is predicted, the rest is read
 * ({@link ChatTemplate#encodeForTraining}). A document is the JSON of a {@link ChatRow}.
 *
 * @param template the model's chat template
 * @param tokenizer the model's tokenizer, which stays open as long as the encoder is used
 * @param clock what templates that write the date read; a run must find the same tokens on every day
 */
public record ChatEncoder(ChatTemplate template, LlamaTokenizer tokenizer, Clock clock) implements TokenEncoder {
    /** The default date of Llama 3's templates. */
    private static final Clock USUAL = Clock.fixed(Instant.parse("2024-07-26T00:00:00Z"), ZoneOffset.UTC);

    /**
     * Renders dates as 26 July 2024.
     *
     * @param template the model's chat template
     * @param tokenizer the model's tokenizer, which stays open as long as the encoder is used
     */
    public ChatEncoder(ChatTemplate template, LlamaTokenizer tokenizer) {
        this(template, tokenizer, USUAL);
    }

    @Override
    public boolean chooses() {
        return true;
    }

    @Override
    public int[] encode(String json) {
        ChatRow row = ChatRow.parse(json);
        EncodedChat chat = template.encodeForTraining(tokenizer, row.request().at(clock), row.from());
        int[] ids = chat.ids();
        for (int t = 0; t < ids.length; t++) {
            ids[t] = chat.assistant()[t] ? ids[t] : ~ids[t];
        }
        return ids;
    }

    /**
     * Identifies what this encoder does, for a {@link TokenCache}.
     *
     * @return a text, equal for equal encoders
     */
    public String identity() {
        return tokenizer.sha256() + " conversations by " + template.sha256() + " at " + clock;
    }
}
