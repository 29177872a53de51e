package io.github.bts4j.core.constraint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which texts are allowed, and which schemas are refused. */
class ConstraintTest {
    private static JsonNode json(String text) throws IOException {
        return RandomTexts.STRICT.readTree(text.replace('\'', '"'));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{'type':'integer'} | -12", "{'type':'integer'} | 0", "{'type':'number'} | -0.5e-3", "{'type':'integer','minimum':17} | 123456", "{'type':'integer','minimum':17,'maximum':99} | 99",
        "{'type':'integer','minimum':-5,'multipleOf':3} | -3", "{'type':'number','minimum':0,'maximum':1} | 0.25", "{'type':'number','multipleOf':0.01} | 3.14",
        "{'type':'number','exclusiveMinimum':0} | 0.000001", "{'type':'string'} | 'a\\u00e9\\n日'", "{'type':'string','maxLength':2} | '日本'", "{'type':'string','pattern':'^a+$'} | 'aaa'",
        "{'type':'string','pattern':'b'} | 'abc'", "{'type':'string','format':'date'} | '2024-02-28'", "{'enum':['a',1,null]} | null", "{'const':{'a':[1]}} | {'a':[1]}",
        "{'type':['string','null']} | null", "{'type':'object'} | {'x':{'y':[]}, 'z':1}", "{'properties':{'a':{'type':'null'},'b':{}}} | {'b':1}", "{'properties':{'a':{'type':'null'}}} | {}",
        "{'type':'array','items':{'type':'boolean'},'minItems':2} | [true, false]", "{'prefixItems':[{'const':1}],'items':false} | [1]",
        "{'allOf':[{'required':['a']},{'properties':{'a':{'type':'string'}}}]} | {'a':'x'}", "{'properties':{'a':true},'additionalProperties':{'type':'integer'}} | {'zz':1,'z':2}",
        "{'$defs':{'t':{'type':'object','properties':{'v':{'type':'integer'},'t':{'$ref':'#/$defs/t'}}}},'$ref':'#/$defs/t'} | {'v':1,'t':{'t':{}}}"})
    void allowed(String schema, String text) throws IOException {
        assertTrue(RandomTexts.accepts(Constraint.jsonSchema(json(schema)), text.replace('\'', '"')), text);
        assertEquals("", RandomTexts.problems(json(schema), text.replace('\'', '"')));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{'type':'integer'} | 1.0", "{'type':'integer'} | 01", "{'type':'integer'} | -0", "{'type':'integer','minimum':17} | 16", "{'type':'integer','maximum':5} | 6", "{'type':'number'} | 1.",
        "{'type':'number','minimum':0,'maximum':1} | 1.000001", "{'type':'integer','multipleOf':3} | 4", "{'type':'string','maxLength':2} | 'abc'", "{'type':'string','minLength':2} | '\\n'",
        "{'type':'string','pattern':'^a+$'} | 'ab'", "{'type':'string'} | 'a\\x'", "{'type':'string'} | '\\ud800'", "{'type':'string','format':'date'} | '2024-02-30'", "{'enum':['a']} | 'b'",
        "{'type':'object'} | {'a':1,'a':2}", "{'properties':{'a':true},'additionalProperties':true} | {'b':1,'b':2}", "{'properties':{'a':true},'additionalProperties':{'type':'null'}} | {'b':null,'a':1}",
        "{'properties':{'a':{'type':'null'}},'required':['a']} | {}", "{'properties':{'a':{'type':'null'}}} | {'b':1}", "{'properties':{'a':true,'b':true}} | {'b':1,'a':1}", "{'type':'object'} | {'a':1,}",
        "{'type':'array','maxItems':1} | [1,2]", "{'type':'array'} | [1 2]", "{'type':'array'} | [[]", "{'type':'array'} | []]", "{'type':'object'} | {  }", "{'type':'object'} | x{}"})
    void notAllowed(String schema, String text) throws IOException {
        assertFalse(RandomTexts.accepts(Constraint.jsonSchema(json(schema)), text.replace('\'', '"')), text);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{'properties':{'a':{'uniqueItems':true}}} | schema: 'uniqueItems' at #/properties/a is not supported", "{'not':{}} | 'not' at #", "{'patternProperties':{}} | 'patternProperties' at #",
        "{'type':'int'} | 'type' at #", "{'items':[{}]} | 'items' at #", "{'$ref':'other.json'} | '$ref' at #", "{'$ref':'#/$defs/x'} | '$ref' at #", "{'$ref':'#'} | leads back to itself",
        "{'anyOf':[{'type':'null'},{'$ref':'#'}]} | leads back to itself", "{'type':'string','pattern':'(?=a)'} | 'pattern' at #", "{'type':'string','pattern':'(a'} | 'pattern' at #",
        "{'type':'string','pattern':'\\bx'} | 'pattern' at #", "{'type':'string','format':'iri'} | 'format' at #", "{'oneOf':[{'type':'string'},{'maxLength':3}]} | 'oneOf' at #",
        "{'type':'string','minLength':3,'maxLength':2} | no value fits", "{'type':'object','properties':{'a':{'$ref':'#'}},'required':['a']} | no value fits", "false | no value fits",
        "{'enum':[]} | 'enum' at #", "{'minLength':-1} | 'minLength' at #", "{'type':'integer','multipleOf':0} | 'multipleOf' at #", "{'nullable':true} | 'nullable' at #", "{'required':[1]} | 'required' at #",
        "{'type':'array','items':{'type':'string','pattern':'^[ab]*a[ab]{20}$'}} | too complex", "{'type':'string','pattern':'((a{1000}){1000}){1000}'} | 'pattern' at #", "[] | must be an object"})
    void refused(String schema, String message) throws IOException {
        String said = assertThrows(IllegalArgumentException.class, () -> Constraint.jsonSchema(json(schema.replace("\\b", "\\\\b")))).getMessage();
        assertTrue(said.startsWith("schema: ") && said.contains(message) && !said.contains("\n") && said.length() < 600, said);
    }

    /** Discriminated alternatives are disjoint. */
    @Test
    void oneOfWithADiscriminator() throws IOException {
        Constraint constraint = Constraint.jsonSchema(json("{'oneOf':[{'type':'object','properties':{'kind':{'const':'a'},'x':{'type':'integer'}},'required':['kind']},"
                + "{'type':'object','properties':{'kind':{'const':'b'}},'required':['kind']},{'type':'null'}]}"));
        assertTrue(RandomTexts.accepts(constraint, "{\"kind\":\"a\",\"x\":1}"));
        assertTrue(RandomTexts.accepts(constraint, "null"));
        assertFalse(RandomTexts.accepts(constraint, "{\"kind\":\"b\",\"x\":1}"));
    }

    /** Hostile schemas are refused soon, or compiled within bounds. */
    @Test
    void hostileSchemas() throws IOException {
        ObjectNode wide = JsonNodeFactory.instance.objectNode();
        IntStream.range(0, 100_000).forEach(i -> wide.withObject("/properties").putObject("p" + i));
        ObjectNode choices = JsonNodeFactory.instance.objectNode();
        ArrayNode all = choices.putArray("allOf");
        for (int i = 0; i < 30; i++) {
            ArrayNode any = all.addObject().putArray("anyOf");
            any.addObject().put("minLength", i);
            any.addObject().put("maxLength", i);
        }
        ObjectNode chain = JsonNodeFactory.instance.objectNode().put("$ref", "#/$defs/d0");
        IntStream.range(0, 20_000).forEach(i -> chain.withObject("/$defs").putObject("d" + i).put("$ref", "#/$defs/d" + (i + 1)));
        ObjectNode deep = JsonNodeFactory.instance.objectNode().put("$ref", "#/$defs/d0");
        IntStream.range(0, 20_000).forEach(i -> deep.withObject("/$defs").putObject("d" + i).put("type", "array").putObject("items").put("$ref", "#/$defs/d" + (i + 1)));
        ObjectNode listed = JsonNodeFactory.instance.objectNode();
        ArrayNode values = listed.putArray("enum");
        IntStream.range(0, 200_000).forEach(i -> values.add("value " + i));
        for (JsonNode schema : new JsonNode[] {wide, choices, chain, deep, listed}) {
            long begin = cpuTime();
            String said = assertThrows(IllegalArgumentException.class, () -> Constraint.jsonSchema(schema)).getMessage();
            assertTrue(said.startsWith("schema: "), said);
            assertTrue(cpuTime() - begin < 10_000_000_000L, said);
        }
    }

    /** This thread's nanoseconds on a processor, which do not depend on what else runs on the machine. */
    private static long cpuTime() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    /** Nested alternatives that all go on: the places are bounded, and the text still ends well. */
    @Test
    void ambiguousTexts() throws IOException {
        JsonNode schema = json("{'$defs':{'a':{'anyOf':[{'type':'array','items':{'$ref':'#/$defs/a'}},{'type':'array','items':{'$ref':'#/$defs/a'},'maxItems':5},"
                + "{'type':'array','items':{'$ref':'#/$defs/a'},'maxItems':7}]}},'$ref':'#/$defs/a'}");
        String text = "[".repeat(40) + "]".repeat(40);
        long begin = cpuTime();
        assertTrue(RandomTexts.accepts(Constraint.jsonSchema(schema), text));
        assertTrue(cpuTime() - begin < 20_000_000_000L);
    }

    /** Hundreds of patterns at once: a mask takes a bounded time, and single bytes lead on. */
    @Test
    void masksTakeABoundedTime() {
        ObjectNode schema = JsonNodeFactory.instance.objectNode();
        ArrayNode any = schema.putArray("anyOf");
        for (int i = 0; i < 300; i++) {
            any.addObject().put("type", "string").put("pattern", "^[a-z ]*" + (char) ('A' + i % 26) + "{" + (1 + i / 26) + "}$");
        }
        byte[][] tokens = new byte[30_000][];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = i < 256 ? new byte[] {(byte) i} : Integer.toString(i, 26).chars().mapToObj(c -> String.valueOf((char) (c <= '9' ? c + 'p' - '0' : c)))
                    .collect(java.util.stream.Collectors.joining()).getBytes(java.nio.charset.StandardCharsets.UTF_8);
        }
        Guide guide = Constraint.jsonSchema(schema).begin(new TokenTrie(tokens), Set.of());
        guide.accept('"');
        long begin = cpuTime();
        float[] masked = guide.masked(new float[tokens.length]);
        assertTrue(cpuTime() - begin < 15_000_000_000L);
        assertEquals(0, masked['z']);
        assertEquals(0, masked['Z']);
    }

    /** A vocabulary without the letters of a name. */
    @Test
    void textsThatCannotGoOn() throws IOException {
        Guide guide = Constraint.jsonSchema(json("{'const':'x'}")).begin(new TokenTrie(new byte[][] {{'"'}, {'y'}}), Set.of(1));
        assertEquals(0, guide.masked(new float[2])[0]);
        guide.accept(0);
        guide.masked(new float[2]);
        assertTrue(guide.isStuck() && !guide.isComplete());
    }

    @Test
    void endTokensEndOnlyCompleteTexts() throws IOException {
        assertTrue(RandomTexts.accepts(Constraint.jsonObject(), "\n {\n  \"a\": 1,\n  \"b\": []\n}"));
        assertFalse(RandomTexts.accepts(Constraint.jsonObject(), "{\t}"));
        Guide guide = Constraint.jsonSchema(json("{'type':'integer'}")).begin(RandomTexts.TRIE, Set.of(0, 1 + '7'));
        assertEquals(Float.NEGATIVE_INFINITY, guide.masked(new float[RandomTexts.TRIE.size()])[1 + '7']); // it would end an empty text
        guide.accept(1 + '4');
        assertEquals(0, guide.masked(new float[RandomTexts.TRIE.size()])[0]);
        assertFalse(guide.isComplete());
    }
}
