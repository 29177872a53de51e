package io.github.bts4j.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class FileTreeTest {
    @TempDir
    private Path folder;

    private Path tree() throws IOException {
        Path root = folder.resolve("tree");
        for (int i = 0; i < 50; i++) {
            Path inner = Files.createDirectories(root.resolve("a/b" + i));
            Files.writeString(inner.resolve("file"), "text");
        }
        Files.createDirectories(root.resolve("empty"));
        return root;
    }

    @Test
    void aFolderGoesWithAllThatLiesInIt() throws IOException {
        Path beside = Files.writeString(folder.resolve("tree.txt"), "stays");
        Path root = tree();
        FileTree.delete(root);
        assertFalse(Files.exists(root));
        assertTrue(Files.exists(beside));
        FileTree.delete(root); // which is not there
        FileTree.delete(beside);
        assertFalse(Files.exists(beside));
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void linksAreNotFollowed() throws IOException {
        Path outside = Files.writeString(Files.createDirectories(folder.resolve("outside")).resolve("file"), "stays");
        Path root = tree();
        Files.createSymbolicLink(root.resolve("a/to-a-folder"), outside.getParent());
        Files.createSymbolicLink(root.resolve("a/to-nothing"), folder.resolve("nothing"));
        FileTree.delete(root);
        assertFalse(Files.exists(root, LinkOption.NOFOLLOW_LINKS));
        assertTrue(Files.exists(outside));
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void severalMayDeleteOneFolder() throws IOException {
        for (int i = 0; i < 20; i++) {
            Path root = tree();
            List<CompletableFuture<Void>> all = new ArrayList<>();
            for (int thread = 0; thread < 3; thread++) {
                all.add(CompletableFuture.runAsync(() -> {
                    try {
                        FileTree.delete(root);
                    } catch (IOException e) {
                        throw new CompletionException(e);
                    }
                }));
            }
            all.forEach(CompletableFuture::join);
            assertFalse(Files.exists(root));
        }
    }
}
