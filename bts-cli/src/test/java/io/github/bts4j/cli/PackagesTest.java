package io.github.bts4j.cli;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.github.bts4j.core.torch.TensorFiller;
import io.github.bts4j.core.torch.Tensors;
import java.nio.Buffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Packages depend on each other in one direction, as modules do. What is compared are the compiled classes. */
class PackagesTest {
    private static final JavaClasses CLASSES = new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests())
            .withImportOption(location -> !location.contains("-tests.jar")).importPackages("io.github.bts4j");

    private static final DescribedPredicate<JavaMethodCall> DECODING = DescribedPredicate.describe("that decodes a tensor in DJL", call ->
            call.getTargetOwner().getPackageName().startsWith("ai.djl.ndarray") && Set.of("decode", "load").contains(call.getName()));
    private static final DescribedPredicate<JavaMethodCall> TAKING_A_BUFFER = DescribedPredicate.describe("that gives DJL a buffer", call ->
            call.getTargetOwner().getPackageName().startsWith("ai.djl.ndarray") && call.getTarget().getRawParameterTypes().stream().anyMatch(type -> type.isAssignableTo(Buffer.class)));

    @Test
    void allModulesAreRead() {
        for (String module : new String[] {"core", "stitch", "train", "vector", "parquet", "server", "examples", "cli"}) {
            assertTrue(CLASSES.stream().anyMatch(each -> each.getPackageName().startsWith("io.github.bts4j." + module)), module);
        }
    }

    @Test
    void noPackagesFormACircle() {
        slices().matching("io.github.bts4j.(**)").should().beFreeOfCycles().check(CLASSES);
    }

    /** Text, its mixture and evaluation are for use without a trainer. */
    @Test
    void dataAndEvaluationDoNotKnowTheTrainer() {
        noClasses().that().resideInAnyPackage("..train.data..", "..train.eval..").should().dependOnClassesThat()
                .resideInAnyPackage("io.github.bts4j.train", "..train.optim..", "..train.stability..", "..train.metrics..").check(CLASSES);
    }

    /** Configurations, files, tokenizers, templates, sampling and the row engine do without libtorch and without DJL's tensors. */
    @Test
    void whatComputesNoTensorsKnowsNoTensorLibrary() {
        noClasses().that().resideInAnyPackage("..core.llama..", "..core.checkpoint..", "..core.tokenizer..", "..core.chat..", "..core.generate..", "..core.rows..", "..core.support..",
                "..bts4j.vector..").should().dependOnClassesThat(resideInAnyPackage("ai.djl..", "..core.torch..").and(not(resideInAPackage("ai.djl.huggingface.tokenizers..")))).check(CLASSES);
    }

    @Test
    void onlyTheKernelsTouchTheEnginesInternals() {
        noClasses().that().resideOutsideOfPackages("..core.torch..", "ai.djl..").should().dependOnClassesThat().resideInAPackage("ai.djl.pytorch..").check(CLASSES);
    }

    /** DJL up to 0.36 counts a ByteBuffer's elements in 32 bits (CVE-2026-85228): only bytes, and buffers of our own making, go through there, and nothing is decoded by it. */
    @Test
    void tensorsAreDecodedHere() {
        noClasses().should().callMethodWhere(DECODING).check(CLASSES);
        noClasses().that().doNotHaveFullyQualifiedName(Tensors.class.getName()).and().doNotHaveFullyQualifiedName(TensorFiller.class.getName())
                .should().callMethodWhere(TAKING_A_BUFFER).check(CLASSES);
        assertThrows(AssertionError.class, () -> noClasses().should().callMethodWhere(TAKING_A_BUFFER).check(CLASSES));
    }

    /** Overloads, enums and defaults say what may be left out; what a record holds, or a method returns, may be absent. */
    @Test
    void noParameterIsOptional() {
        assertEquals(List.of(), optionalParameters(CLASSES));
        assertEquals(List.of("bad"), optionalParameters(new ClassFileImporter().importClasses(Bad.class)));
    }

    @SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // it is only read as a class file
    private record Bad(Optional<String> fine) {
        void bad(OptionalInt parameter) {}
    }

    private static List<String> optionalParameters(JavaClasses classes) {
        return classes.stream().flatMap(each -> each.getCodeUnits().stream()).filter(unit -> !unit.getModifiers().contains(JavaModifier.SYNTHETIC))
                .filter(unit -> unit.getRawParameterTypes().stream().anyMatch(type -> type.getName().startsWith("java.util.Optional")))
                .filter(unit -> !unit.isConstructor() || !unit.getOwner().isRecord() || !components(unit.getOwner()).equals(unit.getRawParameterTypes().stream().map(JavaClass::getName).toList()))
                .map(unit -> unit.getOwner().getSimpleName().equals("Bad") ? unit.getName() : unit.getFullName()).sorted().toList();
    }

    /** In the order of the constructor's parameters. */
    private static List<String> components(JavaClass record) {
        return Stream.of(record.reflect().getRecordComponents()).map(component -> component.getType().getName()).toList();
    }

    /** What has more parts is nested; a model's configuration is what its file says, key by key, and has a builder. */
    @Test
    void publicRecordsAreShort() {
        assertEquals(List.of("LlamaConfig"), CLASSES.stream().filter(each -> each.isRecord() && each.getModifiers().contains(JavaModifier.PUBLIC) && components(each).size() > 12)
                .map(JavaClass::getSimpleName).toList());
    }

    @Test
    void theRulesCanFail() {
        assertThrows(AssertionError.class, () -> classes().should().resideInAPackage("..core..").check(CLASSES));
        assertThrows(AssertionError.class, () -> noClasses().that().resideInAPackage("..train..").should().dependOnClassesThat().resideInAPackage("..core..").check(CLASSES));
    }
}
