package io.github.bts4j.stitch;

import io.github.bts4j.core.support.Hashes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * The states of one model: records of one size in {@code KEY.states}, found through {@code KEY.index}.
 *
 * <p>The index begins with the length and the text of the key, followed by entries of 40 bytes in the order of the records: the hash of the tokens, the
 * CRC-32C of the record, and the CRC-32C of the entry so far. A record is written before its entry; incomplete data of a killed process is overwritten.
 * Files are created with the first record, so that a full disk is only noticed when a record is stored.
 */
final class FrozenStateStore implements AutoCloseable {
    private static final int ENTRY = TokensHash.BYTES + 2 * Integer.BYTES;

    private final NamedChannel index;
    private final NamedChannel states;
    private final int recordSize;
    private final byte[] key;
    private final int header;
    /** Maps tokens to the index and checksum of their record. */
    private final Map<TokensHash, Place> places = new HashMap<>();
    private long count;
    private boolean begun;

    private record Place(long number, int crc) {}

    private FrozenStateStore(NamedChannel index, NamedChannel states, int recordSize, byte[] key) {
        this.index = index;
        this.states = states;
        this.recordSize = recordSize;
        this.key = key;
        this.header = Integer.BYTES + key.length;
    }

    static FrozenStateStore open(Path folder, String key, int recordSize) throws IOException {
        byte[] text = key.getBytes(StandardCharsets.UTF_8);
        String name = Hashes.sha256(text).substring(0, 16);
        NamedChannel index = NamedChannel.open(folder.resolve(name + ".index"));
        NamedChannel states = null;
        try {
            states = NamedChannel.open(folder.resolve(name + ".states"));
            FrozenStateStore store = new FrozenStateStore(index, states, recordSize, text);
            store.begun = store.hasHeader();
            if (store.begun) {
                store.readIndex();
            }
            return store;
        } catch (IOException e) {
            index.close();
            if (states != null) {
                states.close();
            }
            throw e;
        }
    }

    private boolean hasHeader() throws IOException {
        ByteBuffer found = ByteBuffer.allocate(header);
        return index.size() >= header && index.readFully(found, 0) && found.getInt() == key.length
                && Arrays.equals(key, 0, key.length, found.array(), Integer.BYTES, header);
    }

    /** Reads entries up to the first one that is incomplete, damaged, or without a record. */
    private void readIndex() throws IOException {
        long entries = Math.min((index.size() - header) / ENTRY, states.size() / recordSize);
        ByteBuffer bytes = ByteBuffer.allocate(ENTRY);
        for (; count < entries; count++) {
            index.readFully(bytes.clear(), header + count * ENTRY);
            TokensHash hash = TokensHash.read(bytes);
            int crc = bytes.getInt();
            if (bytes.getInt() != crc(bytes.duplicate().rewind().limit(ENTRY - Integer.BYTES))) {
                return;
            }
            places.put(hash, new Place(count, crc));
        }
    }

    long bytes() {
        return count * recordSize;
    }

    boolean holds(List<TokensHash> hashes) {
        return hashes.stream().allMatch(places::containsKey);
    }

    int recordSize() {
        return recordSize;
    }

    /** Reads a stored record into the buffer and flips it; false if it is damaged, in which case it is removed. */
    boolean read(TokensHash hash, ByteBuffer into) throws IOException {
        Place place = places.get(hash);
        if (place == null || !states.readFully(into, place.number() * recordSize) || crc(into.duplicate()) != place.crc()) {
            places.remove(hash);
            return false;
        }
        return true;
    }

    /** Appends a record. */
    void append(TokensHash hash, ByteBuffer record) throws IOException {
        if (!begun) {
            index.truncate();
            index.writeFully(ByteBuffer.allocate(header).putInt(key.length).put(key).flip(), 0);
            begun = true;
        }
        int crc = crc(record.duplicate());
        states.writeFully(record, count * recordSize);
        ByteBuffer entry = ByteBuffer.allocate(ENTRY);
        hash.write(entry);
        entry.putInt(crc);
        entry.putInt(crc(entry.duplicate().rewind().limit(ENTRY - Integer.BYTES)));
        index.writeFully(entry.flip(), header + count * ENTRY);
        places.put(hash, new Place(count, crc));
        count++;
    }

    private static int crc(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }

    @Override
    public void close() throws IOException {
        index.close();
        states.close();
    }
}
