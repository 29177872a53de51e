package io.github.bts4j.core.tokenizer;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.support.Hashes;

/** The tokenizer with disguised special tokens, opened when it is first needed: most prompts never need it, and it takes as much memory as the first. */
final class LazyDisguise implements AutoCloseable {
    private final TokenizerSource files;
    private final String sha256;
    private final Vocabulary vocabulary;
    private DisguisedSpecials opened;
    private boolean closed;

    LazyDisguise(TokenizerSource files, String sha256, Vocabulary vocabulary) {
        this.files = files;
        this.sha256 = sha256;
        this.vocabulary = vocabulary;
    }

    synchronized DisguisedSpecials get() {
        throwIf(closed, () -> new IllegalStateException("the tokenizer of " + files.path() + " is closed"));
        if (opened == null) {
            byte[] content = files.read();
            String now = Hashes.sha256(content);
            throwIf(!now.equals(sha256),
                    () -> new ModelFormatException(files.path(), "was changed while it was open: SHA-256 was " + sha256 + ", is " + now));
            opened = DisguisedSpecials.open(files.path(), TokenizerFiles.parse(files.path(), content), vocabulary);
        }
        return opened;
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (opened != null) {
            opened.close();
        }
    }
}
