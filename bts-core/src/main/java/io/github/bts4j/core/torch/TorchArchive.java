package io.github.bts4j.core.torch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes the smallest archive that {@code torch::jit::load} accepts: source text of one class {@code K}, without parameters.
 *
 * <p>Layout (PyTorch's serialization format, version 3): a stored zip with {@code data.pkl}, a protocol-2 pickle of an object
 * of {@code __torch__.K} with the one attribute {@code training = False}; {@code code/__torch__.py}, the source;
 * {@code constants.pkl}, an empty tuple; and {@code version}.
 */
final class TorchArchive {
    private static final String PREAMBLE = "class K(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n";

    private static final Pattern TUPLE = Pattern.compile("^class \\w+\\(NamedTuple\\):\n(?:  [^\\n]+\n)+", Pattern.MULTILINE);

    private TorchArchive() {}

    /** The archive of a class K whose body is the given methods, each indented by two spaces; named tuples between them come before the class. */
    static byte[] of(String source) {
        String tuples = TUPLE.matcher(source).results().map(MatchResult::group).collect(Collectors.joining("\n"));
        String methods = TUPLE.matcher(source).replaceAll("");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            store(zip, "k/data.pkl", pickledModule());
            store(zip, "k/code/__torch__.py", (tuples + PREAMBLE + methods).getBytes(StandardCharsets.UTF_8));
            store(zip, "k/constants.pkl", new byte[] {(byte) 0x80, 2, ')', '.'});
            store(zip, "k/version", "3\n".getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    private static byte[] pickledModule() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(new byte[] {(byte) 0x80, 2, 'c'}); // protocol 2, GLOBAL
        out.write("__torch__\nK\n".getBytes(StandardCharsets.US_ASCII));
        out.write(new byte[] {')', (byte) 0x81, '}', '(', 'X', 8, 0, 0, 0}); // (), NEWOBJ, {}, MARK, BINUNICODE of 8 bytes
        out.write("training".getBytes(StandardCharsets.US_ASCII));
        out.write(new byte[] {(byte) 0x89, 'u', 'b', '.'}); // False, SETITEMS, BUILD, STOP
        return out.toByteArray();
    }

    private static void store(ZipOutputStream zip, String name, byte[] bytes) throws IOException {
        CRC32 crc = new CRC32();
        crc.update(bytes);
        ZipEntry entry = new ZipEntry(name);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(bytes.length);
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(bytes);
        zip.closeEntry();
    }
}
