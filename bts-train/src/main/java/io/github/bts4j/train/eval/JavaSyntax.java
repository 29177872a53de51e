package io.github.bts4j.train.eval;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.JavacTask;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/** Checks Java syntax with the parser of the running JDK's compiler. Names are not resolved. For one thread at a time. */
final class JavaSyntax {
    private final JavaCompiler compiler;

    private JavaSyntax(JavaCompiler compiler) {
        this.compiler = compiler;
    }

    static JavaSyntax ofThisJdk() {
        return of(ToolProvider.getSystemJavaCompiler());
    }

    /** With a compiler, null where there is none. */
    static JavaSyntax of(JavaCompiler compiler) {
        return new JavaSyntax(Optional.ofNullable(compiler).orElseThrow(() -> new IllegalStateException("This Java runtime (" + System.getProperty("java.home")
                + ") has no compiler to parse code with: run on a JDK, or add the module jdk.compiler")));
    }

    /** Whether a text is one complete method with a body. */
    boolean isMethod(String text) {
        DiagnosticCollector<JavaFileObject> problems = new DiagnosticCollector<>();
        try {
            Source source = new Source("class Wrapper {\n" + text + "\n}\n");
            JavacTask task = (JavacTask) compiler.getTask(Writer.nullWriter(), null, problems, List.of("-proc:none"), null, List.of(source));
            List<Tree> types = new ArrayList<>();
            for (CompilationUnitTree unit : task.parse()) {
                types.addAll(unit.getTypeDecls());
            }
            boolean failed = problems.getDiagnostics().stream().anyMatch(problem -> problem.getKind() == Diagnostic.Kind.ERROR);
            return !failed && types.size() == 1 && types.get(0) instanceof ClassTree wrapper && isMethod(wrapper.getMembers());
        } catch (IllegalStateException | StackOverflowError e) {
            return false; // the parser gave up: nested deeper than its stack, for example
        } catch (IOException e) {
            throw new UncheckedIOException("The compiler cannot read a source in memory: " + e.getMessage(), e);
        }
    }

    private static boolean isMethod(List<? extends Tree> members) {
        return members.size() == 1 && members.get(0) instanceof MethodTree method && method.getBody() != null;
    }

    /** Source in memory. */
    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String text) {
            super(URI.create("string:///Wrapper.java"), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
