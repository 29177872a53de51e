package io.github.bts4j.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Packages depend on each other in one direction, as modules do. What is compared are the compiled classes. */
class PackagesTest {
    private static final JavaClasses CLASSES = new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests())
            .withImportOption(location -> !location.contains("-tests.jar")).importPackages("io.github.bts4j");

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

    @Test
    void onlyTheKernelsTouchTheEnginesInternals() {
        noClasses().that().resideOutsideOfPackages("..core.torch..", "ai.djl..").should().dependOnClassesThat().resideInAPackage("ai.djl.pytorch..").check(CLASSES);
    }

    @Test
    void theRulesCanFail() {
        assertThrows(AssertionError.class, () -> classes().should().resideInAPackage("..core..").check(CLASSES));
        assertThrows(AssertionError.class, () -> noClasses().that().resideInAPackage("..train..").should().dependOnClassesThat().resideInAPackage("..core..").check(CLASSES));
    }
}
