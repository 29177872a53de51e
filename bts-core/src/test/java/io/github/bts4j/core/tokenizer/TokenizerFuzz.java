package io.github.bts4j.core.tokenizer;

import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.fuzz.ByteMutation;
import io.github.bts4j.core.fuzz.Fuzz;
import io.github.bts4j.core.fuzz.JsonMutation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/**
 * A program that opens damaged tokenizers, encodes and decodes with those that open, and writes down which it is at: a panic of native code ends it, so it
 * runs in a process of its own. Arguments: a working folder, the first and the last mutation, and the valid files.
 */
final class TokenizerFuzz {

    private static final String TEXT = "Hello  world, it's 12345 <s></s><|end|>  \n\n\t Ünïcödé ﷺ ﬁ 数学は楽しい 👩‍👩‍👧 한국어 \u0301\u200b x" + " ".repeat(60) + "aaaa".repeat(30)
            + "ABCDEFGH".repeat(10) + "\u0000\uD83D";

    private static final String[] PARTS = {"{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true}", "{\"type\":\"ByteLevel\"}",
        "{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"add_prefix_space\":true,\"prepend_scheme\":\"first\",\"split\":true}",
        "{\"type\":\"Metaspace\",\"replacement\":\"▁\"}", "{\"type\":\"ByteFallback\"}", "{\"type\":\"Fuse\"}", "{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true}",
        "{\"type\":\"BPEDecoder\",\"suffix\":\"\"}", "{\"type\":\"CTC\",\"pad_token\":\"\",\"word_delimiter_token\":\"\",\"cleanup\":true}",
        "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}", "{\"type\":\"Strip\",\"content\":\"a\",\"start\":1000,\"stop\":1000}", "{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true}",
        "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"aaaaaaaaaaaaaaaa\"}", "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"\\\\s*\"},\"content\":\"aa\"}",
        "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(a+)+b\"},\"content\":\"\"}", "{\"type\":\"Replace\",\"pattern\":{\"String\":\"\"},\"content\":\"xx\"}",
        "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"},{\"type\":\"Fuse\"}]}", "{\"type\":\"Sequence\",\"decoders\":[]}",
        "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKC\"},{\"type\":\"Lowercase\"},{\"type\":\"StripAccents\"},{\"type\":\"Nmt\"}]}", "{\"type\":\"Sequence\",\"normalizers\":[]}",
        "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\",\"individual_digits\":true},{\"type\":\"Punctuation\",\"behavior\":\"Isolated\"}]}",
        "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Whitespace\"},{\"type\":\"UnicodeScripts\"},{\"type\":\"BertPreTokenizer\"}]}", "{\"type\":\"Sequence\",\"processors\":[]}",
        "{\"type\":\"NFC\"}", "{\"type\":\"NFD\"}", "{\"type\":\"NFKD\"}", "{\"type\":\"Prepend\",\"prepend\":\"▁\"}", "{\"type\":\"Prepend\",\"prepend\":\"\"}",
        "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,\"strip_accents\":null,\"lowercase\":true}",
        "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAAA\"}", "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"BAAAAAAAAAA=\"}",
        "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\s+(?!\\\\S)|\\\\s+|\\\\S\"},\"behavior\":\"Removed\",\"invert\":false}", "{\"type\":\"Split\",\"pattern\":{\"String\":\" \"},\"behavior\":\"MergedWithNext\",\"invert\":true}",
        "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"},\"behavior\":\"Contiguous\",\"invert\":false}", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(?=a)\"},\"behavior\":\"Isolated\",\"invert\":false}",
        "{\"type\":\"CharDelimiterSplit\",\"delimiter\":\"a\"}", "{\"type\":\"WhitespaceSplit\"}", "{\"type\":\"BertProcessing\",\"sep\":[\"a\",1],\"cls\":[\"b\",2]}",
        "{\"type\":\"RobertaProcessing\",\"sep\":[\"a\",1],\"cls\":[\"b\",4000000000],\"trim_offsets\":true,\"add_prefix_space\":true}",
        "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":[],\"special_tokens\":{}}",
        "{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"B\",\"type_id\":0}}],\"pair\":[],\"special_tokens\":{}}",
        "{\"type\":\"TemplateProcessing\",\"single\":[],\"pair\":[],\"special_tokens\":{\"a\":{\"id\":\"a\",\"ids\":[1,2],\"tokens\":[]}}}",
        "{\"type\":\"WordLevel\",\"vocab\":{\"a\":0,\"b\":1},\"unk_token\":\"u\"}", "{\"type\":\"Unigram\",\"vocab\":[[\"a\",-1.5],[\"<0x41>\",-2],[\"u\",0]],\"unk_id\":2,\"byte_fallback\":true}",
        "{\"type\":\"Unigram\",\"vocab\":[[\"a\",-1],[\"\",0]],\"unk_id\":null}", "{\"type\":\"WordPiece\",\"vocab\":{\"a\":0,\"##a\":1,\"u\":2},\"unk_token\":\"u\",\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100}",
        "{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"aa\":1},\"merges\":[\"a a\"],\"continuing_subword_prefix\":\"é\"}", "{\"id\":0,\"content\":\" \",\"single_word\":true,\"lstrip\":true,\"rstrip\":true,\"normalized\":true,\"special\":true}",
        "{\"id\":5,\"content\":\"a\",\"single_word\":false,\"lstrip\":true,\"rstrip\":true,\"normalized\":false,\"special\":false}"};

    private TokenizerFuzz() {}

    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[0]);
        Path at = folder.resolve("at");
        int last = Integer.parseInt(args[2]);
        JsonMutation mutation = new JsonMutation(PARTS);
        long[] started = {0};
        watch(started);
        int used = 0;
        for (int i = Integer.parseInt(args[1]); i < last; i++) {
            Path valid = Path.of(args[3 + i % (args.length - 3)]);
            byte[] bytes = Files.readAllBytes(valid);
            Random random = new Random(i);
            byte[] mutated = random.nextInt(10) == 0 ? ByteMutation.of(bytes, random) : mutation.of(bytes, random);
            Path file = Files.write(folder.resolve("tokenizer.json"), mutated);
            Files.writeString(at, i + " of " + valid.getFileName());
            started[0] = System.nanoTime();
            try {
                use(file);
                used++;
            } catch (ModelFormatException e) {
                if (e.getMessage() == null || e.getMessage().length() > 2000) {
                    throw new IllegalStateException("mutation " + i + ": message of " + e.getMessage().length(), e);
                }
            } catch (RuntimeException | Error e) {
                e.printStackTrace();
                System.err.println("mutation " + i + " of " + valid + ": " + e);
                System.exit(4);
            }
        }
        System.out.println(used + " could be used");
    }

    private static void use(Path file) {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(file)) {
            int[] ids = tokenizer.encode(TEXT, true);
            tokenizer.decode(ids, true);
            tokenizer.encode("", true);
            tokenizer.encodeOrdinary(TEXT);
            tokenizer.encode(List.of(PromptSegment.template("<s>"), PromptSegment.content(TEXT)), false);
            int[] all = new Random(1).ints(200, 0, tokenizer.vocabSize()).toArray();
            tokenizer.decode(all, false);
            IncrementalDecoder decoder = tokenizer.incrementalDecoder(false);
            for (int id : all) {
                decoder.push(id);
            }
            decoder.flush();
        }
    }

    /** Ends the process when one file takes too long. */
    private static void watch(long[] started) {
        Thread watch = new Thread(() -> {
            while (true) {
                try {
                    Thread.sleep(200);
                } catch (InterruptedException e) {
                    return;
                }
                if (started[0] > 0 && System.nanoTime() - started[0] > Fuzz.SECONDS * 1_000_000_000L) {
                    System.err.println("takes more than " + Fuzz.SECONDS + " s");
                    Runtime.getRuntime().halt(5);
                }
            }
        });
        watch.setDaemon(true);
        watch.start();
    }
}
