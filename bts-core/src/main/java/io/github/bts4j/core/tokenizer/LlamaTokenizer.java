package io.github.bts4j.core.tokenizer;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.TooLargeException;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.support.Hashes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/**
 * The tokenizer of a checkpoint in Hugging Face format. It gives the same ids as the Python package {@code tokenizers}, and never truncates
 * or pads, regardless of tokenizer.json. A tokenizer.json is checked before native code reads it: unknown components and parameters are
 * refused, and so are those that would make native code end the process. Texts above 262,144 tokens are encoded one at a time in the whole
 * process. Opening it switches DJL offline ({@code ai.djl.offline=true}) unless the system property {@code ai.djl.offline}, the environment
 * variable {@code DJL_OFFLINE} or {@code OPT_OUT_TRACKING} is set.
 *
 * <p>The tokenizer is defined by tokenizer.json; from tokenizer_config.json (or else special_tokens_map.json) only the roles of special
 * tokens are read. In particular {@code clean_up_tokenization_spaces} and {@code add_bos_token} are ignored: tokenizer.json alone
 * determines decoding, and {@code addSpecialTokens} adds what its post-processor adds. Half a surrogate pair in a text counts as U+FFFD.
 *
 * <p>Thread-safe. Holds native memory until it is closed; later calls throw {@link IllegalStateException}.
 */
public final class LlamaTokenizer implements AutoCloseable {

    private final TokenizerSource files;
    private final String sha256;
    private final Vocabulary vocabulary;
    private final OptionalInt bosTokenId;
    private final OptionalInt eosTokenId;
    private final TokenDecoder decoder;
    private final SpecialText specialText;
    private final NativeTokenizer tokenizer;
    private final LazyDisguise disguise;

    private LlamaTokenizer(TokenizerSource files) {
        this.files = files;
        Path file = files.path();
        byte[] content = files.read();
        ObjectNode root = TokenizerFiles.parse(file, content);
        sha256 = Hashes.sha256(content);
        vocabulary = Vocabulary.read(file, root);
        bosTokenId = files.role("bos_token", vocabulary);
        eosTokenId = files.role("eos_token", vocabulary);
        decoder = TokenDecoder.read(file, root.path("decoder"));
        specialText = new SpecialText(vocabulary.specialTokens());
        TextLimits limits = TokenizerCheck.check(file, root, vocabulary);
        tokenizer = NativeTokenizer.open(file, root.toString(), limits, vocabulary);
        disguise = new LazyDisguise(files, sha256, vocabulary);
    }

    /**
     * Opens a tokenizer.
     *
     * @param tokenizerJsonOrFolder a tokenizer.json, the folder that holds it, or a GGUF file with the tokenizer inside
     * @return the tokenizer, which the caller closes
     * @throws IllegalArgumentException if there is no such file
     * @throws ModelFormatException if the file is not a tokenizer.json, has unknown or unsafe parts, has a decoder that cannot decode token by token, or does not have the special tokens
     *     that tokenizer_config.json names
     */
    public static LlamaTokenizer open(Path tokenizerJsonOrFolder) {
        return new LlamaTokenizer(TokenizerSource.locate(tokenizerJsonOrFolder));
    }

    /**
     * Text to ids. Special-token text inside {@code text} becomes special tokens: for untrusted text, see {@link #encodeOrdinary}.
     *
     * @param text the text, of up to 16,777,216 characters
     * @param addSpecialTokens whether to add the post-processor's tokens, which is the begin token for Llama models
     * @return the ids
     * @throws TooLargeException if the text is too long for the tokenizer, or for the heap: 12 bytes for each of its bytes are needed
     * @throws ModelFormatException if the tokenizer has no token for a character of the text, and no unknown token
     */
    public int[] encode(String text, boolean addSpecialTokens) {
        return tokenizer.encode(text, addSpecialTokens);
    }

    /**
     * Text to ids, in which special-token text has no special meaning: {@code <|end|>} is spelled out in ordinary tokens. No special token
     * is in the result. The same as {@code encode(text, add_special_tokens=False)} of the Python package with {@code encode_special_tokens
     * = True}.
     *
     * @param text the text, of up to 16,777,216 characters
     * @return the ids
     */
    public int[] encodeOrdinary(String text) {
        return encode(List.of(PromptSegment.content(text)), false);
    }

    /**
     * A prompt to ids: the segments are one text, encoded in one piece, in which special-token text becomes special tokens inside template segments and
     * stays text inside content segments and across borders.
     *
     * @param segments the segments, in order
     * @param addSpecialTokens whether to add the post-processor's tokens; false if the template writes the begin token itself
     * @return the ids
     */
    public int[] encode(List<PromptSegment> segments, boolean addSpecialTokens) {
        if (!specialText.needsDisguise(segments)) {
            return tokenizer.encode(SpecialText.concatenate(segments), addSpecialTokens);
        }
        DisguisedSpecials specials = disguise.get();
        return specials.encode(specialText.disguise(segments, specials), addSpecialTokens);
    }

    /**
     * Encodes a prompt like {@link #encode(List, boolean)} without added tokens, with the position of each token.
     *
     * @param segments the segments, in order
     * @return the ids and their places in the segments' text
     */
    public TokenOffsets encodeWithOffsets(List<PromptSegment> segments) {
        String text = SpecialText.concatenate(segments);
        if (!specialText.needsDisguise(segments)) {
            return TokenOffsets.of(text, tokenizer.encodeWithOffsets(text));
        }
        DisguisedSpecials specials = disguise.get();
        List<PromptSegment> pieces = specialText.pieces(segments);
        return TokenOffsets.of(text, specials.encodeWithOffsets(specialText.disguise(segments, specials)), pieces, specials);
    }

    /**
     * Ids to text. Bytes that are not UTF-8 become U+FFFD. An id inside the range that no token has decodes to nothing.
     *
     * @param ids the ids
     * @param skipSpecialTokens whether special tokens are left out of the text
     * @return the text
     * @throws IllegalArgumentException if an id is negative or not below {@link #vocabSize}
     */
    public String decode(int[] ids, boolean skipSpecialTokens) {
        for (int id : ids) {
            requireId(id);
        }
        return tokenizer.decode(ids, skipSpecialTokens);
    }

    /**
     * A decoder for the ids of a complete text, one by one: the pieces join to {@code decode} of all ids.
     *
     * @param skipSpecialTokens whether special tokens are left out of the text
     * @return the decoder, to be used by one thread at a time, while this tokenizer is open
     */
    public IncrementalDecoder incrementalDecoder(boolean skipSpecialTokens) {
        return new IncrementalDecoder(this, skipSpecialTokens, false);
    }

    /**
     * A decoder for ids that continue another text: like {@link #incrementalDecoder}, but the first piece keeps the
     * space that SentencePiece tokenizers (Llama 2) take away at the beginning of a text.
     *
     * @param skipSpecialTokens whether special tokens are left out of the text
     * @return the decoder, to be used by one thread at a time, while this tokenizer is open
     */
    public IncrementalDecoder continuationDecoder(boolean skipSpecialTokens) {
        return new IncrementalDecoder(this, skipSpecialTokens, true);
    }

    /** {@return one more than the highest id; the model's {@code vocabSize} must be at least this} */
    public int vocabSize() {
        return vocabulary.size();
    }

    /**
     * The UTF-8 bytes of a token within a text. A token may be a part of a character; in SentencePiece vocabularies {@code ▁the} is
     * {@code " the"}, even at the beginning of a text, where it would lose its space.
     *
     * @param id the id
     * @return the bytes; of a special token those of its spelling, of an id that belongs to no token none
     * @throws IllegalArgumentException if the id is negative or not below {@link #vocabSize}
     */
    public byte[] bytes(int id) {
        requireId(id);
        if (!vocabulary.isAssigned(id)) {
            return new byte[0];
        }
        return vocabulary.isSpecial(id) ? vocabulary.token(id).getBytes(StandardCharsets.UTF_8) : new IncrementalDecoder(this, false, true).bytes(id);
    }

    /**
     * {@return the number of characters in the vocabulary's longest token} No text of n tokens has more than n times as many
     * characters, apart from characters that a normalizer removes.
     */
    public int longestToken() {
        return vocabulary.longestToken();
    }

    /** {@return the id of the begin-of-text token, which tokenizer_config.json calls {@code bos_token}; empty if no file names it} */
    public OptionalInt bosTokenId() {
        return bosTokenId;
    }

    /**
     * {@return the id of the end-of-text token, which tokenizer_config.json calls {@code eos_token}; empty if no file names it} Chat
     * models have further end tokens, see generation_config.json.
     */
    public OptionalInt eosTokenId() {
        return eosTokenId;
    }

    /**
     * Whether the vocabulary has this token.
     *
     * @param token the token as tokenizer.json spells it
     * @return true if {@link #tokenId} would give its id
     */
    public boolean hasToken(String token) {
        return vocabulary.contains(token);
    }

    /**
     * The id of a token.
     *
     * @param token the token as tokenizer.json spells it: {@code <|end|>}, {@code Ġthe}, {@code ▁the}
     * @return the id
     * @throws IllegalArgumentException if there is no such token
     */
    public int tokenId(String token) {
        throwIf(!vocabulary.contains(token),
                () -> new IllegalArgumentException("token = '" + token + "' is not among the " + vocabulary.size() + " tokens of " + files.path()
                        + "; ordinary tokens are spelled as in that file, with Ġ or ▁ for a space"));
        return vocabulary.id(token);
    }

    /**
     * The token that has this id.
     *
     * @param id the id
     * @return the token as tokenizer.json spells it
     * @throws IllegalArgumentException if the id is negative, not below {@link #vocabSize}, or no token has this id
     */
    public String token(int id) {
        requireId(id);
        throwIf(!vocabulary.isAssigned(id), () -> new IllegalArgumentException("id = " + id + " belongs to no token of " + files.path()));
        return vocabulary.token(id);
    }

    /**
     * Whether the token with this id is special: control, not text.
     *
     * @param id the id
     * @return true if tokenizer.json declares it special
     * @throws IllegalArgumentException if the id is negative or not below {@link #vocabSize}
     */
    public boolean isSpecial(int id) {
        requireId(id);
        return vocabulary.isSpecial(id);
    }

    /**
     * The number of UTF-8 bytes of a token's text. The special case of the beginning of a text, where some decoders drop a space, is ignored.
     *
     * @param id the token's id
     * @return bytes; 0 for a special token, and for an id that no token has
     * @throws IllegalArgumentException if the id is negative or not below {@link #vocabSize}
     */
    public int byteLength(int id) {
        if (isSpecial(id) || !vocabulary.isAssigned(id)) {
            return 0;
        }
        String token = token(id);
        return decoder.bytes(token).map(bytes -> bytes.length).orElseGet(() -> token.replace('\u2581', ' ').getBytes(StandardCharsets.UTF_8).length);
    }

    /** {@return the ids of all special tokens in the order of tokenizer.json, in a new array} */
    public int[] specialTokenIds() {
        return vocabulary.specialTokens().stream().mapToInt(Vocabulary.SpecialToken::id).toArray();
    }

    /**
     * {@return the SHA-256 of tokenizer.json (for a GGUF file, of its tokenizer in that form) in 64 lower-case hexadecimal digits,
     * with which checkpoints check that they belong to the same tokenizer}
     */
    public String sha256() {
        return sha256;
    }

    /** {@return the path of tokenizer.json, or of the GGUF file} */
    public Path path() {
        return files.path();
    }

    /**
     * Writes the tokenizer as a checkpoint's files: {@code tokenizer.json}, and the begin and end tokens in {@code tokenizer_config.json}. Whatever else such a file
     * may hold, a chat template above all, is not written.
     *
     * @param folder the checkpoint's folder, made if absent
     * @throws IOException if a file cannot be written
     */
    public void save(Path folder) throws IOException {
        Files.createDirectories(folder);
        AtomicFiles.write(folder.resolve("tokenizer.json"), files.read());
        ObjectNode roles = JsonNodeFactory.instance.objectNode();
        bosTokenId.ifPresent(id -> roles.put("bos_token", token(id)));
        eosTokenId.ifPresent(id -> roles.put("eos_token", token(id)));
        AtomicFiles.write(folder.resolve("tokenizer_config.json"), roles.toPrettyString());
    }

    /** Frees the native memory, once the calls of other threads have returned. Closing again does nothing. */
    @Override
    public void close() {
        disguise.close();
        tokenizer.close();
    }

    TokenDecoder decoder() {
        return decoder;
    }

    Vocabulary vocabulary() {
        return vocabulary;
    }

    void requireId(int id) {
        throwIf(!vocabulary.isId(id),
                () -> new IllegalArgumentException("token id = " + id + " is not between 0 and " + (vocabulary.size() - 1) + ", the highest id of "
                        + files.path() + ": do model and tokenizer belong together?"));
    }

    @Override
    public String toString() {
        return "LlamaTokenizer[" + files.path() + ", vocabSize = " + vocabSize() + ", special = " + Arrays.toString(specialTokenIds()) + "]";
    }
}
