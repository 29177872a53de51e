package io.github.bts4j.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.support.ElementType;
import java.io.IOException;
import java.math.BigInteger;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a file that Hugging Face's writer made: src-test-data/tools/make_safetensors_fixture.py. */
class PythonFixtureTest {

    private static final Path FIXTURE = resource("/checkpoint/all-types.safetensors");

    @Test
    void readsEveryTypeShapeAndValue() throws IOException {
        SafetensorsFile file = SafetensorsFile.open(FIXTURE);
        JsonNode expected = new ObjectMapper().readTree(resource("/checkpoint/all-types.json").toFile());

        Set<String> names = new HashSet<>();
        Set<ElementType> types = new HashSet<>();
        expected.properties().forEach(tensor -> {
            names.add(tensor.getKey());
            TensorEntry entry = file.entry(tensor.getKey());
            types.add(entry.type());
            assertEquals(tensor.getValue().get("dtype").textValue(), entry.type().fileName(), tensor.getKey());
            assertEquals(longs(tensor.getValue().get("shape")), entry.shape(), tensor.getKey());
            ByteBuffer bytes = file.read(entry);
            assertEquals(ByteOrder.LITTLE_ENDIAN, bytes.order());
            assertEquals(values(tensor.getValue().get("values"), entry.type()), decode(bytes, entry), tensor.getKey());
        });
        assertEquals(Set.of(ElementType.values()), types, "the fixture holds every type");
        assertEquals(names, file.entries().stream().map(TensorEntry::name).collect(Collectors.toSet()));
        assertEquals(Map.of("maker", "safetensors \"0.8.0\" für Java"), file.metadata());
    }

    @Test
    void writesTheBytesThatPythonWrites(@TempDir Path folder) throws IOException {
        SafetensorsFile file = SafetensorsFile.open(FIXTURE);
        List<SafetensorsWriter.Tensor> tensors = file.entries().stream()
                .map(entry -> new SafetensorsWriter.Tensor(
                        entry.name(), entry.type(), entry.shape(), SafetensorsWriter.Source.of(file.read(entry))))
                .toList();
        Path copy = folder.resolve("copy.safetensors");

        SafetensorsWriter.write(copy, file.metadata(), tensors);

        assertArrayEquals(Files.readAllBytes(FIXTURE), Files.readAllBytes(copy));
    }

    static Path resource(String name) {
        try {
            return Path.of(PythonFixtureTest.class.getResource(name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<Long> longs(JsonNode array) {
        List<Long> numbers = new ArrayList<>();
        array.forEach(number -> numbers.add(number.longValue()));
        return numbers;
    }

    /** Whole numbers as BigInteger, floats as Double, whose equality tells -0 from 0 and knows NaN. */
    private static List<Object> values(JsonNode array, ElementType type) {
        boolean floating = Set.of(ElementType.FLOAT16, ElementType.BFLOAT16, ElementType.FLOAT32, ElementType.FLOAT64).contains(type);
        List<Object> values = new ArrayList<>();
        array.forEach(value -> values.add(floating ? floating(value) : (Object) value.bigIntegerValue()));
        return values;
    }

    private static Double floating(JsonNode value) {
        return value.isNumber() ? (Double) value.doubleValue() : switch (value.textValue()) {
            case "inf" -> (Double) Double.POSITIVE_INFINITY;
            case "-inf" -> (Double) Double.NEGATIVE_INFINITY;
            case "nan" -> (Double) Double.NaN;
            default -> throw new IllegalArgumentException(value.textValue());
        };
    }

    private static List<Object> decode(ByteBuffer bytes, TensorEntry entry) {
        List<Object> values = new ArrayList<>();
        for (long i = 0; i < entry.elements(); i++) {
            values.add(switch (entry.type()) {
                case BOOL, UINT8 -> BigInteger.valueOf(Byte.toUnsignedInt(bytes.get()));
                case INT8 -> BigInteger.valueOf(bytes.get());
                case INT16 -> BigInteger.valueOf(bytes.getShort());
                case UINT16 -> BigInteger.valueOf(Short.toUnsignedInt(bytes.getShort()));
                case INT32 -> BigInteger.valueOf(bytes.getInt());
                case UINT32 -> BigInteger.valueOf(Integer.toUnsignedLong(bytes.getInt()));
                case INT64 -> BigInteger.valueOf(bytes.getLong());
                case UINT64 -> new BigInteger(Long.toUnsignedString(bytes.getLong()));
                case FLOAT16 -> half(bytes.getShort());
                case BFLOAT16 -> (Object) (double) Float.intBitsToFloat(bytes.getShort() << 16);
                case FLOAT32 -> (double) bytes.getFloat();
                case FLOAT64 -> bytes.getDouble();
            });
        }
        assertEquals(0, bytes.remaining(), entry.name());
        return values;
    }

    /** IEEE 754: (-1)^sign * 2^(exponent - 15) * 1.fraction; exponent 0 is 2^-14 * 0.fraction, 31 is infinity or NaN. */
    private static Double half(short bits) {
        int exponent = bits >> 10 & 31;
        int fraction = bits & 1023;
        double magnitude = exponent == 31
                ? (fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN)
                : exponent == 0 ? Math.scalb((double) fraction, -24) : Math.scalb(1024.0 + fraction, exponent - 25);
        return bits < 0 ? -magnitude : magnitude;
    }
}
