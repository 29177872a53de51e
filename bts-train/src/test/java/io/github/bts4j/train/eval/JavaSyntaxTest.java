package io.github.bts4j.train.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class JavaSyntaxTest {
    private static String closed(String body) {
        int end = JavaBraces.end(body);
        return end < 0 ? "-" : body.substring(0, end);
    }

    @Test
    void bracesInCommentsAndLiteralsDoNotCount() {
        assertEquals(" return; }", closed(" return; } }"));
        assertEquals(" { } { { } } }", closed(" { } { { } } } {"));
        assertEquals(" // }\n }", closed(" // }\n } "));
        assertEquals(" /* } \n } */ }", closed(" /* } \n } */ }"));
        assertEquals(" \"}\\\"}\" }", closed(" \"}\\\"}\" }"));
        assertEquals(" '}' '\\'' '{' }", closed(" '}' '\\'' '{' }"));
        assertEquals(" \"\"\"\n } \" \\\"\"\" } \"\"\"; }", closed(" \"\"\"\n } \" \\\"\"\" } \"\"\"; }"));
        assertEquals(" \"no end\n }", closed(" \"no end\n }"), "a string ends with its line at the latest");
        assertEquals(" a / b; c /= d; }", closed(" a / b; c /= d; }"));
        assertEquals("-", closed(" { }"));
        assertEquals("-", closed(" /* }"));
        assertEquals("-", closed(""));
        assertEquals("-", closed("\""));
        assertEquals("-", closed("'\\"));
    }

    @Test
    void methodsParse() {
        JavaSyntax syntax = JavaSyntax.ofThisJdk();
        assertTrue(syntax.isMethod("public <T extends U> T a(int... b) throws C, D { return new E<>(b) { int f; }; }"));
        assertTrue(syntax.isMethod("/** Text. */ @Override void a() { undefined.names(are, fine); for (var x : y) { } }"));
        assertTrue(syntax.isMethod("void a() { }"));
        assertFalse(syntax.isMethod("void a() { int b = ; }"));
        assertFalse(syntax.isMethod("void a() { b(); "));
        assertFalse(syntax.isMethod("void a() { b() }"));
        assertFalse(syntax.isMethod("void a() { String b = \"c; }"));
        assertFalse(syntax.isMethod("void a() { } void b() { }"), "two methods");
        assertFalse(syntax.isMethod("void a() { } } class B {"), "out of the wrapper");
        assertFalse(syntax.isMethod("void a();"), "no body");
        assertFalse(syntax.isMethod("static { }"));
        assertFalse(syntax.isMethod("class B { }"));
        assertFalse(syntax.isMethod("A() { }"), "a constructor");
        assertFalse(syntax.isMethod("if (a) { }"));
        assertFalse(syntax.isMethod("void a() { b(" + "(".repeat(200_000) + "); }"), "too deep for the parser");
    }

    /** Random text fails as a syntax error, not as anything else. */
    @Test
    void nonsenseIsJudgedToo() {
        String[] parts = {"{", "}", "(", ")", ";", "int", "a", "=", "\"", "'", "<", ">", "->", "case", "new", "\\", "#", "@", "\n", "switch", ".", "0x", "class", "日"};
        Random random = new Random(4);
        JavaSyntax syntax = JavaSyntax.ofThisJdk();
        for (int i = 0; i < 300; i++) {
            StringBuilder text = new StringBuilder("void a() {");
            random.ints(random.nextInt(40), 0, parts.length).forEach(part -> text.append(parts[part]).append(' '));
            syntax.isMethod(text.append('}').toString());
        }
    }

    @Test
    void aRuntimeWithoutCompilerSaysSo() {
        String message = assertThrows(IllegalStateException.class, () -> JavaSyntax.of(null)).getMessage();
        assertTrue(message.contains("run on a JDK, or add the module jdk.compiler"), message);
    }

    @Test
    void methodsAreFoundInSource() {
        String source = "; }\n\n/** A. */\nclass A {\n  A() { x(); }\n  /** Does {@code b}. */\n  int b(int c) {\n    if (c > 0) { return 1; }\n    Runnable r = () -> { c(); };\n"
                + "    return 0;\n  }\n  void empty() { }\n  void cut() { y();";
        List<MethodItem> found = new Random(2).ints(20).mapToObj(seed -> new JavaMethods(JavaSyntax.ofThisJdk(), 1000).draw(source, new Random(seed)).orElseThrow()).distinct().toList();
        assertEquals(1, found.size());
        assertEquals("\n  /** Does {@code b}. */\n  int b(int c) {", found.get(0).header());
        assertTrue(source.startsWith(found.get(0).prompt()));
        MethodItem less = new JavaMethods(JavaSyntax.ofThisJdk(), 60).draw(source, new Random(1)).orElseThrow();
        assertEquals("  A() { x(); }", less.context());
        assertEquals(Optional.empty(), new JavaMethods(JavaSyntax.ofThisJdk(), 20).draw(source, new Random(1)));
    }
}
