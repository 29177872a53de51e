package io.github.bts4j.train.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Detects the kind of a file for {@link TextKind}. */
final class TextSniffer {
    static final String UNPACK = ": unpack it first";

    /** The number of decompressed bytes that are examined. */
    private static final int WINDOW = 1 << 16;
    /** The number of lines that must be JSON objects if the name does not say so. */
    private static final int LINES = 2;
    private static final byte[] PARQUET = "PAR1".getBytes(StandardCharsets.US_ASCII);
    private static final int TAR_MAGIC = 257;
    private static final Set<String> PACKED = Set.of("bz2", "xz", "zip", "7z", "rar", "tar", "tgz", "tbz2", "txz", "lz4", "lz", "lzma", "br", "z", "sz", "snappy", "jar", "whl");
    private static final Map<String, String> MAGIC = new LinkedHashMap<>(Map.of("BZh", "bzip2", "\u00fd7zXZ\0", "xz", "PK\3\4", "zip", "7z\u00bc\u00af'\u001c", "7z", "Rar!\u001a", "RAR",
            "\u0004\"M\u0018", "lz4", "LZIP", "lzip"));
    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build()).build();

    private TextSniffer() {
    }

    /** The kind of a file; empty if it is not supported. */
    static Optional<TextKind> kind(Path file) {
        String name = TextFiles.plainName(file);
        if (isPacked(name)) {
            return Optional.empty();
        }
        byte[] head = TextKind.head(file, WINDOW);
        if (TextFiles.begins(head, PARQUET)) {
            return TextFiles.plainName(file).equals(TextFiles.name(file)) ? Optional.of(TextKind.PARQUET) : Optional.empty();
        }
        Optional<TextKind> named = TextKind.named(name);
        if (named.isPresent() && named.get() == TextKind.PARQUET) {
            return named; // its reader reports the error
        }
        if (!packing(head).isEmpty() || binary(head) >= 0) {
            return Optional.empty();
        }
        boolean lines = named.isPresent() && named.get() == TextKind.JSON_LINES || holdsJsonLines(head, head.length == WINDOW);
        return lines ? Optional.of(TextKind.JSON_LINES) : named;
    }

    /** Why a file is of no supported kind, beginning with its name. */
    static String refusal(Path file) {
        String name = TextFiles.plainName(file);
        byte[] head = isPacked(name) ? new byte[0] : TextKind.head(file, WINDOW);
        String packing = isPacked(name) ? "." + TextKind.ending(name) : packing(head);
        if (!packing.isEmpty()) {
            return file + " is packed (" + packing + ")" + UNPACK;
        }
        if (TextFiles.begins(head, PARQUET)) {
            return file + " is a Parquet file that is compressed as a whole" + UNPACK;
        }
        if (utf16(head)) {
            return file + " is in UTF-16: convert it to UTF-8";
        }
        if (binary(head) >= 0) {
            return file + " is not text: it has a zero byte at offset " + binary(head);
        }
        return switch (TextKind.ending(name)) {
            case "json" -> file + " contains JSON, but not one object per line: convert it, for example with jq -c '.[]'";
            case "csv", "tsv" -> file + " is a table: convert its text column to JSON lines or Parquet";
            default -> file + (TextKind.ending(name).isEmpty() ? " has no suffix, and its" : ": the suffix ." + TextKind.ending(name) + " is not known, and the")
                    + " content is not JSON lines; name it .txt if it is plain text";
        };
    }

    private static boolean isPacked(String name) {
        return PACKED.contains(TextKind.ending(name));
    }

    private static String packing(byte[] head) {
        for (Map.Entry<String, String> magic : MAGIC.entrySet()) {
            if (TextFiles.begins(head, magic.getKey().getBytes(StandardCharsets.ISO_8859_1))) {
                return magic.getValue();
            }
        }
        boolean tar = head.length > TAR_MAGIC + 5 && new String(head, TAR_MAGIC, 5, StandardCharsets.US_ASCII).equals("ustar");
        return tar ? "tar" : "";
    }

    /** The offset of the first zero byte, which text does not have; -1 if there is none. */
    private static int binary(byte[] head) {
        for (int i = 0; i < head.length; i++) {
            if (head[i] == 0) {
                return i;
            }
        }
        return -1;
    }

    private static boolean utf16(byte[] head) {
        return head.length > 1 && (head[0] == (byte) 0xff && head[1] == (byte) 0xfe || head[0] == (byte) 0xfe && head[1] == (byte) 0xff);
    }

    /** Whether the first lines are JSON objects; a truncated line only has to begin like one. */
    private static boolean holdsJsonLines(byte[] head, boolean cut) {
        int objects = 0;
        int from = 0;
        byte[] text = Utf8.withoutMark(head);
        while (from < text.length && objects < LINES) {
            int end = from;
            while (end < text.length && text[end] != '\n') {
                end++;
            }
            byte[] line = Arrays.copyOfRange(text, from, end);
            if (!isBlank(line)) {
                if (!isObject(line, cut && end == text.length)) {
                    return false;
                }
                objects++;
            }
            from = end + 1;
        }
        return objects > 0;
    }

    private static boolean isBlank(byte[] line) {
        for (byte b : line) {
            if (b != ' ' && b != '\t' && b != '\r') {
                return false;
            }
        }
        return true;
    }

    private static boolean isObject(byte[] line, boolean cut) {
        boolean begun = false;
        try (JsonParser json = JSON.createParser(line)) {
            begun = json.nextToken() == JsonToken.START_OBJECT && json.nextToken() == JsonToken.FIELD_NAME;
            if (!begun) {
                return false;
            }
            int depth = 1;
            while (depth > 0) {
                JsonToken token = json.nextToken();
                if (token == null) {
                    return cut;
                }
                depth += token == JsonToken.START_OBJECT || token == JsonToken.START_ARRAY ? 1 : token.isStructEnd() ? -1 : 0;
            }
            return json.nextToken() == null;
        } catch (IOException e) {
            return begun && cut;
        }
    }
}
